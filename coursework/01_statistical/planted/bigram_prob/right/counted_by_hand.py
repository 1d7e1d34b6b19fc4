def bigram_prob(sentences, history, word, discount):
    occurrences = followed = 0
    after_history, before_word, all_pairs, words = set(), set(), set(), {"<unk>", "</s>"}
    for sentence in sentences:
        words |= set(sentence)
        line = ["<s>"] + sentence + ["</s>"]
        for k in range(1, len(line)):
            all_pairs.add((line[k - 1], line[k]))
            if line[k] == word:
                before_word.add(line[k - 1])
            if line[k - 1] == history:
                after_history.add(line[k])
                followed += 1
                occurrences += line[k] == word
    p = discount * (len(words) - 1) / len(words)
    p = (p + max(0, len(before_word) - discount)) / len(all_pairs)
    if followed:
        p = p * discount * len(after_history) / followed
        p += max(0.0, occurrences - discount) / followed
    return p
