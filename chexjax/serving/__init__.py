"""A DICOM node: films in by C-STORE, results out to a peer.

- `film_queue`: what waits, on disk
- `node`: takes films
- `worker`: predicts what waits
- `sender`: sends results until the peer has them
- `counters`, `status_page`: how it goes, for people and Prometheus

Everything but `film_queue`, `counters` and `status_page` needs the extra
`serve`. Nothing here names a patient: films and results are called by digests.
"""
