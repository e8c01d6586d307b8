"""Google Cloud on loopback: refuses what Google's own descriptions refuse, and answers nothing that they do not describe."""
