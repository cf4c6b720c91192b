// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "evidence/evidence.h"
#include "finding/finding.h"
#include "hospital.h"
#include "images.h"
#include "seal/seal.h"
#include "support/support.h"
#include "trust/trust.h"

// Property: a lossless change of encoding leaves an image authentic (DESIGN 4.6).
namespace fiducia::test {
namespace {

class EncodingProperty : public testing::Test {
 protected:
  const std::uint64_t seed_ = seed();
  std::mt19937_64 prng_{seed_};
  Hospital hospital_;
  testing::ScopedTrace trace_{__FILE__, __LINE__,
                              "rerun with FIDUCIA_SEED=" + std::to_string(seed_)};
};

void set_lengths(DicomDataSet& data_set, Lengths lengths) {
  for (DicomElement& element : data_set.elements) {
    element.lengths = lengths;
    for (DicomDataSet& item : element.items) set_lengths(item, lengths);
  }
}

void move_private_blocks(DicomDataSet& data_set, std::uint16_t block) {
  for (DicomElement& element : data_set.elements) {
    for (DicomDataSet& item : element.items) move_private_blocks(item, block);
    if (!element.tag.is_private()) continue;
    if (element.tag.is_private_creator())
      element.tag.element = block;
    else
      element.tag.element = static_cast<std::uint16_t>(block << 8 | (element.tag.element & 0xFF));
  }
  data_set.sort();
}

/// Private elements and sequences written as UN, as a hop through implicit VR leaves them.
void lose_private_vrs(DicomDataSet& data_set) {
  for (DicomElement& element : data_set.elements) {
    for (DicomDataSet& item : element.items) lose_private_vrs(item);
    if (element.tag.is_private() && !element.tag.is_private_creator()) element.as_un = true;
  }
}

Bytes utf8_of_latin1(const Bytes& latin1) {
  Bytes out;
  for (const std::byte b : latin1) {
    const unsigned c = std::to_integer<unsigned>(b);
    if (c < 0x80) {
      out.push_back(b);
    } else {
      out.push_back(static_cast<std::byte>(0xC0 | c >> 6));
      out.push_back(static_cast<std::byte>(0x80 | (c & 0x3F)));
    }
  }
  if (out.size() % 2 != 0) out.push_back(std::byte{' '});
  return out;
}

void to_utf8(DicomDataSet& data_set, bool top) {
  for (DicomElement& element : data_set.elements) {
    for (DicomDataSet& item : element.items) to_utf8(item, false);
    if (dicom::has_character_set(element.vr)) element.value = utf8_of_latin1(element.value);
  }
  if (top) {
    Bytes& value = element_of(data_set, {0x0008, 0x0005}).value;
    value.assign(as_bytes("ISO_IR 192").begin(), as_bytes("ISO_IR 192").end());
  }
}

void set_text(DicomDataSet& data_set, dicom::Tag tag, std::string_view value) {
  Bytes& bytes = element_of(data_set, tag).value;
  bytes.assign(as_bytes(value).begin(), as_bytes(value).end());
  if (bytes.size() % 2 != 0) bytes.push_back(std::byte{' '});
}

Bytes planar_of(const Bytes& samples, const ImageShape& shape) {
  Bytes out(samples.size());
  const std::size_t sample_bytes = shape.bits_allocated / 8U;
  const std::size_t pixels = std::size_t{shape.rows} * shape.columns;
  for (std::size_t f = 0; f < shape.frames; ++f)
    for (std::size_t p = 0; p < pixels; ++p)
      for (std::size_t s = 0; s < shape.samples; ++s)
        std::copy_n(
            samples.data() + f * shape.frame_bytes() + (p * shape.samples + s) * sample_bytes,
            sample_bytes, out.data() + f * shape.frame_bytes() + (s * pixels + p) * sample_bytes);
  return out;
}

TEST_F(EncodingProperty, every_way_to_write_the_same_image_verifies) {
  for (int round = 0, last = fiducia::test::draws(40); round < last; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    const ImageShape shape = random_shape(prng_);
    const Bytes samples = random_samples(prng_, shape);
    const DicomDataSet original = image_data_set(shape, samples);
    const Bytes evidence = hospital_.seal(read_dicom(original.file(explicit_le)));
    struct Variant {
      std::string name;
      Bytes file;
    };
    std::vector<Variant> variants;
    for (const std::string_view syntax : {explicit_le, implicit_le, explicit_be, deflated_le})
      for (const Lengths lengths : {Lengths::defined, Lengths::undefined, Lengths::undefined_items,
                                    Lengths::undefined_sequence}) {
        DicomDataSet d = original;
        set_lengths(d, lengths);
        variants.push_back({"syntax " + std::string(syntax) + " lengths " +
                                std::to_string(static_cast<int>(lengths)),
                            d.file(syntax)});
      }
    DicomDataSet d = original;
    move_private_blocks(d, 0x42);
    variants.push_back({"private blocks moved", d.file(explicit_le)});
    lose_private_vrs(d);
    variants.push_back({"private VRs lost", d.file(explicit_le)});
    variants.push_back({"private VRs lost, big endian", d.file(explicit_be)});
    set_lengths(d, Lengths::undefined);
    variants.push_back({"private VRs lost, undefined lengths", d.file(explicit_le)});
    d = original;
    to_utf8(d, true);
    variants.push_back({"UTF-8", d.file(explicit_le)});
    d = original;
    set_text(d, {0x0018, 0x0050}, "+1.5");
    set_text(d, {0x0020, 0x0013}, " 0012 ");
    set_text(d, {0x0020, 0x0032}, "-1e+2\\25.000\\100");
    variants.push_back({"DS and IS spelled otherwise", d.file(explicit_le)});
    d = original;
    d.bytes({0xFFFC, 0xFFFC}, "OB", Bytes(10));
    d.add({.tag = {0x0008, 0x0000}, .vr = dicom::vr::ul, .value = bytes("ff000000")});
    d.add({.tag = {0x0040, 0x0000}, .vr = dicom::vr::ul, .value = bytes("00000001")});
    d.sort();
    variants.push_back({"group lengths and trailing padding", d.file(explicit_le)});
    variants.push_back({"bare data set", original.encode(Syntax::explicit_le)});
    variants.push_back({"bare implicit data set", original.encode(Syntax::implicit_le)});
    d = original;
    element_of(d, {0x7FE0, 0x0010}).vr = shape.bits_allocated == 8 ? dicom::vr::ow : dicom::vr::ob;
    if (shape.bits_allocated == 8) variants.push_back({"OW for OB", d.file(explicit_le)});
    if (shape.samples == 3) {
      ImageShape planar = shape;
      planar.planar = true;
      variants.push_back(
          {"planar", image_data_set(planar, planar_of(samples, shape)).file(explicit_le)});
    }
    std::vector<Bytes> fragments;
    for (std::uint32_t f = 0; f < shape.frames; ++f) {
      const auto begin = samples.begin() + static_cast<std::ptrdiff_t>(f * shape.frame_bytes());
      Bytes frame(begin, begin + static_cast<std::ptrdiff_t>(shape.frame_bytes()));
      if (frame.size() % 2 != 0) frame.push_back(std::byte{0});
      fragments.push_back(std::move(frame));
    }
    d = original;
    std::erase_if(d.elements,
                  [](const DicomElement& e) { return e.tag == dicom::tags::pixel_data; });
    d.encapsulated(fragments);
    variants.push_back({"encapsulated uncompressed", d.file("1.2.840.10008.1.2.1.98")});
    for (const Variant& variant : variants) {
      const seal::VerifyResult result = hospital_.verify(variant.file, evidence);
      ASSERT_EQ(result.verdict, finding::Verdict::authentic)
          << variant.name << ": " << describe(result);
    }
  }
}

TEST_F(EncodingProperty, an_image_sealed_in_any_encoding_verifies_in_any_other) {
  constexpr std::array syntaxes{explicit_le, implicit_le, explicit_be, deflated_le};
  for (int round = 0; round < 10; ++round) {
    const ImageShape shape = random_shape(prng_);
    const DicomDataSet d = image_data_set(shape, random_samples(prng_, shape));
    for (const std::string_view from : syntaxes) {
      const Bytes evidence = hospital_.seal(read_dicom(d.file(from)));
      for (const std::string_view to : syntaxes) {
        const seal::VerifyResult result = hospital_.verify(d.file(to), evidence);
        ASSERT_EQ(result.verdict, finding::Verdict::authentic)
            << from << " to " << to << ": " << describe(result);
      }
    }
  }
}

// Random structure instead of a plausible image: nested sequences, private blocks, UN.
TEST_F(EncodingProperty, random_data_sets_without_pixels_verify_in_every_encoding) {
  for (int round = 0, last = fiducia::test::draws(200); round < last; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    const DicomDataSet d = random_data_set(prng_);
    const Bytes evidence = hospital_.seal(read_dicom(d.file(explicit_le)));
    for (const std::string_view to : {explicit_le, explicit_be, deflated_le, implicit_le}) {
      const seal::VerifyResult result = hospital_.verify(d.file(to), evidence);
      // Random VRs and lengths are often such that readers differ (spec/seal.md 14).
      const bool agreed = evidence::read_evidence(evidence)->statement.ambiguities.empty();
      ASSERT_EQ(result.verdict,
                agreed ? finding::Verdict::authentic : finding::Verdict::indeterminate)
          << to << ": " << describe(result);
    }
  }
}

TEST_F(EncodingProperty, the_evidence_itself_may_be_carried_through_every_encoding) {
  const ImageShape shape = random_shape(prng_);
  const DicomDataSet d = image_data_set(shape, random_samples(prng_, shape));
  for (const std::string_view syntax : {explicit_le, implicit_le, explicit_be, deflated_le}) {
    const Bytes sealed = hospital_.seal_in_file(d.file(syntax));
    const seal::VerifyResult result = hospital_.verify_carried(sealed);
    EXPECT_EQ(result.verdict, finding::Verdict::authentic) << syntax << ": " << describe(result);
    ASSERT_TRUE(result.seal.has_value());
    EXPECT_EQ(result.seal->found_in, trust::FoundIn::file);
    // Sealing again replaces the block instead of adding one.
    EXPECT_EQ(hospital_.verify_carried(hospital_.seal_in_file(sealed)).verdict,
              finding::Verdict::authentic);
  }
}

}  // namespace
}  // namespace fiducia::test
