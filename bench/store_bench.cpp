// SPDX-License-Identifier: Apache-2.0
// Size and look-up time of the evidence store with synthetic sketches.
//   store_bench FILE RECORDS [EVIDENCE_BYTES]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "crypto/crypto.h"
#include "store/store.h"

using namespace fiducia;

namespace {

store::Record record_of(std::uint64_t number, std::size_t evidence_bytes) {
  store::Record record;
  record.sop_instance_uid = "1.2.826.0.1.3680043.10.1." + std::to_string(number);
  std::mt19937_64 prng{number};
  for (std::size_t i = 0; i < 32; i += 8) store_le(record.object_root.bytes.data() + i, prng());
  for (int i = 0; i < 32; ++i) record.sketch.values.push_back(prng());
  std::sort(record.sketch.values.begin(), record.sketch.values.end());
  record.sketch.textured_tiles = 50;
  record.evidence.assign(evidence_bytes, static_cast<std::byte>(number));
  return record;
}

/// Median and 99th percentile of `runs` calls, in microseconds.
template <class Call>
void report(const char* what, int runs, Call call) {
  std::vector<double> times_us;
  for (int i = 0; i < runs; ++i) {
    const auto start = std::chrono::steady_clock::now();
    if (!call(i)) {
      std::printf("%s: FAILED\n", what);
      std::exit(1);
    }
    times_us.push_back(
        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start)
            .count());
  }
  std::sort(times_us.begin(), times_us.end());
  std::printf("%-34s median %8.1f us   p99 %8.1f us\n", what, times_us[times_us.size() / 2],
              times_us[times_us.size() * 99 / 100]);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 1;
  const std::uint64_t records = std::strtoull(argv[2], nullptr, 10);
  const std::size_t evidence_bytes = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 1000;
  constexpr std::uint64_t batch_records = 250;
  const Bytes key(32, std::byte{1});
  const auto opened = store::open_sqlite(argv[1], key);
  if (!opened) return 1;
  store::EvidenceStore& store = **opened;

  const auto start = std::chrono::steady_clock::now();
  for (std::uint64_t next = 0; next < records;) {
    std::vector<store::Record> batch;
    for (; batch.size() < batch_records && next < records; ++next)
      batch.push_back(record_of(next, evidence_bytes));
    if (!store.put(batch)) return 1;
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const auto size = static_cast<double>(std::filesystem::file_size(argv[1]));
  const auto count = static_cast<double>(records);
  std::printf("%llu records of %zu bytes: put %.1f us each in batches of %llu, %.0f bytes each\n",
              static_cast<unsigned long long>(records), evidence_bytes, seconds * 1e6 / count,
              static_cast<unsigned long long>(batch_records), size / count);

  std::mt19937_64 prng{7};
  // Warm: few objects, asked again and again. Spread: any object.
  for (const std::uint64_t among : {std::uint64_t{200}, records}) {
    std::vector<store::Record> asked;
    for (int i = 0; i < 2000; ++i) asked.push_back(record_of(prng() % among, evidence_bytes));
    std::printf("look-ups among %llu objects\n", static_cast<unsigned long long>(among));
    const auto at = [&](int i) -> const store::Record& {
      return asked[static_cast<std::size_t>(i)];
    };
    report("  find_by_instance", 2000, [&](int i) {
      const auto found = store.find_by_instance(at(i).sop_instance_uid);
      return found && *found == std::vector<Bytes>{at(i).evidence};
    });
    report("  find_by_root", 2000, [&](int i) {
      const auto found = store.find_by_root(at(i).object_root);
      return found && *found == at(i).evidence;
    });
    report("  find_by_sketch", 2000, [&](int i) {
      const auto found = store.find_by_sketch(at(i).sketch);
      return found && *found == std::vector<Bytes>{at(i).evidence};
    });
  }
  const store::Record stranger = record_of(records + 1'000'000'000, 0);
  report("  find_by_instance, absent", 2000,
         [&](int) { return store.find_by_instance(stranger.sop_instance_uid).has_value(); });
  report("  find_by_sketch, absent", 2000,
         [&](int) { return store.find_by_sketch(stranger.sketch).has_value(); });
  return 0;
}
