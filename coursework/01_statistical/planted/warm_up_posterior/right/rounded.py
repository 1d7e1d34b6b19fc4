def warm_up_posterior():
    a = <<null_books>> + <<mai_books>> + <<shu_books>>
    b = <<null_buy>> + <<mai_buy>> + <<shu_buy>>
    books, buy = <<shu_books>> / a, <<shu_buy>> / b
    return round(books, 3), round(a * b / 9, 3), round(books / (books + buy), 3)
