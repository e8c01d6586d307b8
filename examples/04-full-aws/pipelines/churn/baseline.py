print('baseline')
