// SPDX-License-Identifier: Apache-2.0
// A verifier that meets any file with good evidence: a verdict, and `authentic` only for a file
// whose canonical form is the one that was sealed.
#include <cstdio>
#include <cstdlib>
#include <map>

#include "../tests/seal/hospital.h"
#include "../tests/seal/images.h"

using namespace fiducia;

namespace {

void require(bool condition, const char* rule) {
  if (condition) return;
  std::fprintf(stderr, "broken rule: %s\n", rule);
  std::abort();
}

struct World {
  test::Hospital hospital;
  test::DicomDataSet original;
  Bytes samples;
  Bytes evidence;
  std::optional<seal::Verifier> verifier;
  World() {
    std::mt19937_64 prng{7};
    const test::ImageShape shape{.rows = 8, .columns = 70, .frames = 2};
    samples = test::random_samples(prng, shape);
    original = test::image_data_set(shape, samples);
    evidence = hospital.seal(test::read_dicom(original.file(test::explicit_le)));
    auto made = seal::Verifier::make(hospital.trust(), {}, nullptr, {evidence});
    require(made.has_value(), "our own evidence is read");
    verifier.emplace(std::move(*made));
  }
};

/// Patient's Name, read by nothing but the parser: what a user would be shown.
std::string name_of(const dicom::File& file) {
  return file.data_set().find_text({0x0010, 0x0010}).value_or("");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static World world;
  const ByteView input = std::as_bytes(std::span{data, size});
  auto file = dicom::File::read(Bytes(input.begin(), input.end()));
  if (!file) {
    if (const auto verdict = seal::verdict_of_error("-", file.error()))
      require(verdict->verdict != seal::Verdict::authentic, "an unreadable file proves nothing");
    return 0;
  }
  const auto result = world.verifier->verify(*file, nullptr);
  require(result.has_value(), "a readable file gets a verdict");
  if (result->verdict != seal::Verdict::authentic) {
    require(!result->findings.empty(), "a verdict has a reason");
    return 0;
  }
  auto reader = codec::FrameReader::open(*file, nullptr);
  require(reader.has_value() && reader->frames_present() == 2, "authentic has its frames");
  for (std::uint32_t f = 0; f < 2; ++f) {
    const auto frame = reader->read(f);
    require(frame.has_value(), "authentic frames decode");
    const std::size_t bytes = world.samples.size() / 2;
    require(same_bytes(frame->samples, ByteView{world.samples}.subspan(f * bytes, bytes)),
            "authentic frames hold the samples that were sealed");
  }
  require(!name_of(*file).empty(), "authentic files name the patient");
  return 0;
}
