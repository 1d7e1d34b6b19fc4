"""The field: the contests of ``make bench``, ours beside the peers, in one interleaved run.

`contest` has what a contest is and the run that goes round and round through all of them,
`report` the table and the stored file; `statistical` and `neural` make the contests, `peers` finds
the peers, and `transformers` has what the contests and the detailed scripts share.
"""
