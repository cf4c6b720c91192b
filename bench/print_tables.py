#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the tables of scripts/bench as Markdown: print_tables.py IN_PROCESS.json PROCESSES.json

A ratio is the quotient of two medians of one run of scripts/bench; in brackets, the smallest and
the largest single measurement against the peer's median.
"""
import json
import statistics
import sys


def ratio(values, peers):
    peer = statistics.median(peers)
    return (f"{statistics.median(values) / peer:.2f} "
            f"({min(values) / peer:.2f} to {max(values) / peer:.2f})")


def spread(values, digits=2):
    return (f"{statistics.median(values):.{digits}f} "
            f"({min(values):.{digits}f} to {max(values):.{digits}f})")


def in_process(path):
    rates, counters = {}, {}
    for row in json.load(open(path))["benchmarks"]:
        if row.get("run_type") != "iteration":
            continue
        name = row["name"].removesuffix("/manual_time").removesuffix("/iterations:300")
        rates.setdefault(name, []).append(row["items_per_second"])
        if "evidence_bytes" in row:
            counters[name.split("/")[0]] = (row["evidence_bytes"], row["file_bytes"])
    for name, values in list(rates.items()):
        if name.endswith("/parse"):  # its own clock runs for the parsing alone
            rates[name] = [1e3 / t for t in parse_times_us(path, name)]
    return rates, counters


def parse_times_us(path, name):
    return [1e3 * r["real_time"] / {"ns": 1e6, "us": 1e3, "ms": 1}[r["time_unit"]]
            for r in json.load(open(path))["benchmarks"]
            if r.get("run_type") == "iteration" and r["name"].startswith(name)]


BACKENDS = {"openssl": "OpenSSL's hashing", "avx2": "AVX2, eight lanes",
            "sha_ni": "SHA-NI, two lanes", "avx512": "AVX-512, sixteen lanes"}


def print_hashing(rates):
    for measured, title in (("tiles", "Tiles alone"), ("canonical", "Canonical form")):
        print(f"### {title}, one core: speed against OpenSSL's SHA-256 over the same file\n")
        print(f"| Image | {' | '.join(BACKENDS.values())} | OpenSSL, objects/s |")
        print("|---|---|---|---|---|---|")
        for subject in ("ct", "dx"):
            peer = rates[f"{subject}/hash/openssl"]
            cells = [ratio(rates[f"{subject}/{measured}/{b}"], peer)
                     if f"{subject}/{measured}/{b}" in rates else "not on this processor"
                     for b in BACKENDS]
            print(f"| {subject} | {' | '.join(cells)} | {spread(peer, 0)} |")
        print()
    for subject in ("ct", "dx"):
        best = max(statistics.median(rates[f"{subject}/canonical/{b}"])
                   for b in BACKENDS if f"{subject}/canonical/{b}" in rates)
        parse_us = 1e3 / statistics.median(rates[f"{subject}/parse"])
        print(f"Parsing a {subject} takes {100 * parse_us / (1e6 / best):.1f} % of its canonical form "
              f"({parse_us:.1f} us).")


def print_sealing(rates):
    print("\n### Sealing and verifying in one process, one core: objects/s against the peers\n")
    print("| Operation | fiducia, objects/s | against DCMTK | against plain EVP over the file |")
    print("|---|---|---|---|")
    for subject in ("ct", "dx", "jpeg-ls"):
        for operation, ours in (("seal", "fiducia"), ("seal", "fiducia_with_sketch"),
                                ("verify", "fiducia")):
            values = rates.get(f"{subject}/{operation}/{ours}")
            if values is None:
                continue
            peers = [rates.get(f"{subject}/{operation}/{peer}") for peer in ("dcmtk", "evp")]
            cells = [ratio(values, p) if p else "cannot" for p in peers]
            label = operation + (" with sketch" if ours.endswith("sketch") else "")
            print(f"| {subject} {label} | {spread(values, 0)} | {cells[0]} | {cells[1]} |")


def print_evidence(counters):
    print("\n### Evidence\n\n| Image | file, bytes | evidence, bytes | share |\n|---|---|---|---|")
    for subject, (evidence, file) in counters.items():
        print(f"| {subject} | {file:.0f} | {evidence:.0f} | {100 * evidence / file:.2f} % |")


def print_processes(path):
    for group in json.load(open(path)):
        print(f"\n### {group['name']}\n")
        print("| Command | wall, ms | wall against the last row | CPU, ms "
              "| CPU against the last row | peak memory, MiB |")
        print("|---|---|---|---|---|---|")
        rows = list(group["rows"].items())
        wall_peer, cpu_peer = ([sample[i] for sample in rows[-1][1]] for i in range(2))
        for name, samples in rows:
            wall, cpu, memory = ([s[i] for s in samples] for i in range(3))
            print(f"| {name} | {spread(wall, 1)} | {ratio(wall, wall_peer)} | {spread(cpu, 1)} "
                  f"| {ratio(cpu, cpu_peer)} | {max(memory):.0f} |")


rates_now, counters_now = in_process(sys.argv[1])
print_hashing(rates_now)
print_sealing(rates_now)
print_evidence(counters_now)
print_processes(sys.argv[2])
