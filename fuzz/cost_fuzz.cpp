// SPDX-License-Identifier: Apache-2.0
// What an object costs: recipes of a few bytes make data sets of many, which are sealed and
// verified. The more of their budget they spend, the more interesting they are (libFuzzer's extra
// counters), so that the fuzzer climbs towards the worst. Two rules: what is done is counted
// (processor time stays within a multiple of the work counted), and memory is in proportion.
//
// A recipe is a list of steps, each a byte and its arguments; what the steps make is one data set
// in implicit VR, or, when the first byte is odd, in explicit VR and deflated:
//   0 count:2 length:1 bytes   the bytes, count times
//   1 count:2 length:1 bytes   the same, with the element number of the first tag going up
//   2 depth:1                  all so far becomes an item of a sequence, depth times
//   3 count:2                  all so far, count times
#include <time.h>

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>

#include "../tests/seal/hospital.h"
#include "../tests/seal/images.h"
#include "finding/finding.h"
#include "seal/seal.h"
#include "store/sketch.h"
#include "target.h"

using namespace fiducia;
using fiducia::fuzz::require;

namespace {

/// Bytes of a data set: large enough for a square of its elements to show.
constexpr std::size_t data_set_bytes_max = 256 << 10;
/// What is not counted, in ns: start-up, the ledger of the hospital, a signature.
constexpr std::uint64_t free_ns = 100'000'000;
/// Nanoseconds that a unit of work may take here: sanitizers, a loaded machine.
constexpr std::uint64_t ns_a_unit = 40;

// libFuzzer takes each counter that becomes larger than ever for new coverage.
constexpr std::size_t counters = 256;
#if defined(__clang__) && !defined(FIDUCIA_FUZZ_CORPUS)
__attribute__((used, section("__libfuzzer_extra_counters")))
#endif
std::uint8_t reached[2 * counters];

/// Marks all steps up to the quarter octave that `work` is in.
void mark(std::size_t stage, std::uint64_t work) {
  if (work == 0) return;
  const auto octave = static_cast<std::size_t>(std::bit_width(work) - 1);
  const std::size_t quarter = octave < 2 ? 0 : (work >> (octave - 2)) & 3U;
  const std::size_t step = std::min(counters - 1, octave * 4 + quarter);
  std::fill_n(reached + stage * counters, step + 1, std::uint8_t{1});
}

std::uint64_t cpu_ns() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

class Recipe {
 public:
  explicit Recipe(ByteView steps) : steps_(steps) {}
  Bytes cook() {
    while (!steps_.empty() && out_.size() < data_set_bytes_max) step();
    if (out_.size() > data_set_bytes_max) out_.resize(data_set_bytes_max);
    return std::move(out_);
  }

 private:
  std::uint64_t number(std::size_t bytes) {
    std::uint64_t value = 0;
    for (const std::byte b : take(bytes)) value = value << 8U | std::to_integer<std::uint64_t>(b);
    return value;
  }
  ByteView take(std::uint64_t count) {
    const auto taken = steps_.first(std::min<std::size_t>(steps_.size(), count));
    steps_ = steps_.subspan(taken.size());
    return taken;
  }
  bool has_room(std::size_t bytes) const { return out_.size() + bytes <= data_set_bytes_max; }

  void step() {
    const auto kind = number(1) % 4;
    if (kind == 2) {
      const std::uint64_t depth = number(1);
      for (std::uint64_t i = 0; i < depth && has_room(16); ++i) nest();
      return;
    }
    const std::uint64_t count = number(2);
    Bytes unit;
    if (kind == 3) {
      unit = std::exchange(out_, {});
    } else {
      const ByteView taken = take(number(1));
      unit.assign(taken.begin(), taken.end());
    }
    for (std::uint64_t i = 0; i < count && !unit.empty() && has_room(unit.size()); ++i) {
      append(out_, unit);
      if (kind == 1 && unit.size() >= 4)
        store_le(unit.data() + 2,
                 static_cast<std::uint16_t>(load_le<std::uint16_t>(unit.data() + 2) + 1));
    }
  }

  void nest() {
    Bytes outer;
    for (const auto& [group, element] : {std::pair{0x0008, 0x1140}, std::pair{0xFFFE, 0xE000}}) {
      append_le(outer, static_cast<std::uint16_t>(group));
      append_le(outer, static_cast<std::uint16_t>(element));
      append_le(outer, static_cast<std::uint32_t>(out_.size() + (group == 0x0008 ? 8 : 0)));
    }
    append(outer, out_);
    out_ = std::move(outer);
  }

  ByteView steps_;
  Bytes out_;
};

struct Payer {
  test::Hospital hospital;
  Bytes evidence;
  std::optional<seal::Verifier> verifier;
  std::shared_ptr<const store::SketchSecret> secret =
      std::make_shared<store::SketchSecret>(store::sketch_secret({}));
  Payer() {
    std::mt19937_64 prng{7};
    const test::ImageShape shape{.rows = 8, .columns = 70, .frames = 2};
    const auto image = test::image_data_set(shape, test::random_samples(prng, shape));
    evidence = hospital.seal(test::read_dicom(image.file(test::explicit_le)));
    auto made = seal::Verifier::make(hospital.trust(), {}, nullptr, {evidence});
    require(made.has_value(), "our own evidence is read");
    verifier.emplace(std::move(*made));
  }
};

/// The processor time of `work`, held against what it took from the budget of `file`.
template <class Work>
void measure(std::size_t stage, const dicom::File& file, Work work) {
  const std::uint64_t before = cpu_ns();
  work();
  const std::uint64_t took = cpu_ns() - before;
  const std::uint64_t spent = std::min(file.budget().spent(), file.budget().allowed());
  mark(stage, spent);
  if (took <= free_ns + spent * ns_a_unit) return;
  std::fprintf(stderr, "stage %zu: %llu ms for %llu units\n", stage,
               static_cast<unsigned long long>(took / 1'000'000),
               static_cast<unsigned long long>(spent));
  require(false, "what is done is counted");
}

}  // namespace

FIDUCIA_FUZZ_TARGET(cost) {
  static Payer world;
  std::fill(std::begin(reached), std::end(reached), std::uint8_t{0});
  const ByteView input = std::as_bytes(std::span{data, size});
  if (input.empty()) return 0;
  const bool deflated = (std::to_integer<unsigned>(input[0]) & 1U) != 0;
  const Bytes data_set = Recipe(input.subspan(1)).cook();
  const Bytes bytes = deflated ? test::part10(test::deflated_le, test::raw_deflate(data_set))
                               : test::part10(test::implicit_le, data_set);
  const std::uint64_t before = cpu_ns();
  const auto file = dicom::File::read(bytes);
  require(cpu_ns() - before <= free_ns + data_set.size() * 40 * ns_a_unit,
          "reading a data set takes time in proportion to it");
  if (!file) return 0;
  measure(0, *file, [&] {
    const auto sketch = store::make_sketch_builder(world.secret);
    const auto draft =
        seal::draft_seal(*file, world.hospital.signer(), world.hospital.now, nullptr, sketch.get());
    if (!draft) return;
    require(draft->ledger_entry().size() < limits::ledger_entry_bytes_max, "an entry is small");
  });
  const auto again = dicom::File::read(bytes);
  measure(1, *again, [&] {
    const auto result = world.verifier->verify(*again, nullptr);
    require(result.has_value() && result->verdict != finding::Verdict::authentic,
            "it is another object");
  });
  return 0;
}
