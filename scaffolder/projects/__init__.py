"""Projects made from templates. The public names are in ``render``, ``answers`` and ``template``."""
