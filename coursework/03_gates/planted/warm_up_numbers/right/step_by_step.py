def warm_up_numbers():
    def run(writes):
        c = <<start>>
        for odds, (gate, candidate) in zip((<<odds_1>>, <<odds_2>>, <<odds_3>>), writes):
            f = 1 / (1 + math.exp(-math.log(odds)))
            c = f * c + gate * candidate
        return c

    h = <<state>>
    for _ in range(<<steps>>):
        h = h - <<replaced>> * h + <<replaced>> * (<<towards>>)
    quiet = [(0, 0)] * 3
    return run(quiet), run([(0, 0), (<<gate>>, <<candidate>>), (0, 0)]), h
