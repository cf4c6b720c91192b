// SPDX-License-Identifier: Apache-2.0
// A verifier that meets any file with good evidence: a verdict, and `authentic` only for a file
// whose canonical form is the one that was sealed.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "../tests/seal/hospital.h"
#include "../tests/seal/images.h"
#include "finding/finding.h"
#include "seal/seal.h"
#include "target.h"

using namespace fiducia;
using fiducia::fuzz::require;

namespace {

struct World {
  test::Hospital hospital;
  test::DicomDataSet original;
  Bytes samples;
  Bytes evidence;
  std::optional<seal::Verifier> verifier;
  std::vector<std::pair<dicom::Tag, std::string>> shown;  // what a reader of the image relies on
  World() {
    std::mt19937_64 prng{7};
    const test::ImageShape shape{.rows = 8, .columns = 70, .frames = 2};
    samples = test::random_samples(prng, shape);
    original = test::image_data_set(shape, samples);
    evidence = hospital.seal(test::read_dicom(original.file(test::explicit_le)));
    auto made = seal::Verifier::make(hospital.trust(), {}, nullptr, {evidence});
    require(made.has_value(), "our own evidence is read");
    verifier.emplace(std::move(*made));
    for (const std::string_view syntax :
         {test::explicit_le, test::implicit_le, test::explicit_be, test::deflated_le}) {
      const auto file = test::read_dicom(original.file(syntax));
      const auto result = verifier->verify(file, nullptr);
      require(result.has_value() && result->verdict == finding::Verdict::authentic,
              "the sealed image is authentic, so that this target tests something");
      if (syntax == test::explicit_le) remember(file.data_set());
    }
  }

 private:
  /// Values of ASCII outside of Image Pixel, which every encoding writes with the same bytes.
  void remember(const dicom::DataSet& data_set) {
    for (dicom::ElementIndex i = 0; i != dicom::no_index; i = data_set.element(i).next) {
      const dicom::Element& element = data_set.element(i);
      const bool plain = element.vr == dicom::vr::ui || element.vr == dicom::vr::cs ||
                         element.vr == dicom::vr::da || element.vr == dicom::vr::ds ||
                         element.vr == dicom::vr::is || element.vr == dicom::vr::lo;
      if (!plain || element.tag.group == 0x0028 || element.tag == dicom::Tag{0x0008, 0x0005})
        continue;
      const auto text = data_set.find_text(element.tag);
      if (text && std::ranges::all_of(*text, [](char c) { return c > ' ' && c < 0x7F; }))
        shown.emplace_back(element.tag, *text);
    }
    require(shown.size() >= 4, "the image has plain values");
  }
};

/// Patient's Name, read by nothing but the parser: what a user would be shown.
std::string name_of(const dicom::File& file) {
  return file.data_set().find_text({0x0010, 0x0010}).value_or("");
}

}  // namespace

FIDUCIA_FUZZ_TARGET(verify) {
  static World world;
  const ByteView input = std::as_bytes(std::span{data, size});
  auto file = dicom::File::read(Bytes(input.begin(), input.end()));
  if (!file) {
    if (const auto verdict = seal::verdict_of_error("-", file.error()))
      require(verdict->verdict != finding::Verdict::authentic, "an unreadable file proves nothing");
    return 0;
  }
  const auto result = world.verifier->verify(*file, nullptr);
  require(result.has_value(), "a readable file gets a verdict");
  if (result->verdict != finding::Verdict::authentic) {
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
  for (const auto& [tag, text] : world.shown)
    require(file->data_set().find_text(tag) == text, "authentic files show what was sealed");
  return 0;
}
