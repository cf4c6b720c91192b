// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "evidence/evidence.h"
#include "finding/finding.h"
#include "hospital.h"
#include "images.h"
#include "seal/seal.h"
#include "support/support.h"

// Property: any tampering is `altered`, and the finding names the place (DESIGN 1).
namespace fiducia::test {
namespace {

struct SealedImage {
  ImageShape shape;
  Bytes samples;
  DicomDataSet data_set;
  Bytes evidence;
};

class TamperProperty : public testing::Test {
 protected:
  SealedImage seal_random(std::optional<ImageShape> shape = {}) {
    SealedImage image{.shape = shape.value_or(random_shape(prng_)),
                      .samples = {},
                      .data_set = {},
                      .evidence = {}};
    image.samples = random_samples(prng_, image.shape);
    image.data_set = image_data_set(image.shape, image.samples);
    image.evidence = hospital_.seal(read_dicom(image.data_set.file(explicit_le)));
    return image;
  }

  seal::VerifyResult verify(const DicomDataSet& data_set, const Bytes& evidence) {
    // Tampering comes in every encoding.
    static constexpr std::array syntaxes{explicit_le, implicit_le, explicit_be, deflated_le};
    return hospital_.verify(data_set.file(syntaxes[prng_() % syntaxes.size()]), evidence);
  }

  const std::uint64_t seed_ = seed();
  std::mt19937_64 prng_{seed_};
  Hospital hospital_;
  testing::ScopedTrace trace_{__FILE__, __LINE__,
                              "rerun with FIDUCIA_SEED=" + std::to_string(seed_)};
};

/// Where a byte of the samples lies.
struct Place {
  std::uint32_t frame;
  finding::TilePosition tile;
};
Place place_of(std::size_t offset, const ImageShape& shape) {
  const std::size_t pixel_bytes = shape.samples * (shape.bits_allocated / 8U);
  const std::size_t in_frame = offset % shape.frame_bytes();
  const std::size_t pixel = in_frame / pixel_bytes;
  return {static_cast<std::uint32_t>(offset / shape.frame_bytes() + 1),
          {static_cast<std::uint32_t>(pixel / shape.columns / 64),
           static_cast<std::uint32_t>(pixel % shape.columns / 64)}};
}

void set_samples(DicomDataSet& data_set, Bytes samples) {
  if (samples.size() % 2 != 0) samples.push_back(std::byte{0});
  element_of(data_set, dicom::tags::pixel_data).value = std::move(samples);
}

TEST_F(TamperProperty, any_one_bit_of_any_sample_is_found_in_its_tile) {
  for (int image_number = 0; image_number < 12; ++image_number) {
    const SealedImage image = seal_random();
    for (int round = 0; round < 60; ++round) {
      Bytes samples = image.samples;
      const std::size_t at = prng_() % samples.size();
      const unsigned bit = static_cast<unsigned>(prng_() % 8);
      samples[at] ^= static_cast<std::byte>(1U << bit);
      DicomDataSet d = image.data_set;
      set_samples(d, samples);
      const seal::VerifyResult result = verify(d, image.evidence);
      SCOPED_TRACE("byte " + std::to_string(at) + " bit " + std::to_string(bit) + "\n" +
                   describe(result));
      ASSERT_EQ(result.verdict, finding::Verdict::altered);
      const Place place = place_of(at, image.shape);
      bool located = false;
      for (const finding::Finding& finding : result.findings) {
        if (finding.code != finding::Code::pixels_altered) continue;
        ASSERT_EQ(finding.frame, place.frame);
        ASSERT_EQ(finding.tiles, std::vector{place.tile});
        ASSERT_TRUE(finding.box.has_value());
        ASSERT_EQ(finding.box->x, place.tile.column * 64);
        ASSERT_EQ(finding.box->y, place.tile.row * 64);
        ASSERT_LE(finding.box->x + finding.box->width, image.shape.columns);
        located = true;
      }
      ASSERT_TRUE(located);
    }
  }
}

TEST_F(TamperProperty, exchanged_frames_are_found_in_both) {
  const ImageShape shape{.rows = 70, .columns = 65, .frames = 3};
  const SealedImage image = seal_random(shape);
  Bytes samples = image.samples;
  std::swap_ranges(samples.begin(),
                   samples.begin() + static_cast<std::ptrdiff_t>(shape.frame_bytes()),
                   samples.begin() + static_cast<std::ptrdiff_t>(2 * shape.frame_bytes()));
  DicomDataSet d = image.data_set;
  set_samples(d, samples);
  const seal::VerifyResult result = verify(d, image.evidence);
  ASSERT_EQ(result.verdict, finding::Verdict::altered);
  std::vector<std::uint32_t> frames;
  for (const finding::Finding& finding : result.findings)
    if (finding.code == finding::Code::pixels_altered) frames.push_back(finding.frame.value());
  EXPECT_EQ(frames, (std::vector<std::uint32_t>{1, 3}));
}

/// Exchanges two 64 x 64 tiles of `a` (frame 0) and `b`.
void exchange_tiles(Bytes& a, finding::TilePosition at_a, Bytes& b, finding::TilePosition at_b,
                    const ImageShape& shape) {
  const std::size_t pixel_bytes = shape.samples * (shape.bits_allocated / 8U);
  const std::size_t row_bytes = shape.columns * pixel_bytes;
  for (std::size_t row = 0; row < 64; ++row) {
    const auto from = [&](finding::TilePosition at) {
      return static_cast<std::ptrdiff_t>((at.row * 64 + row) * row_bytes +
                                         at.column * 64 * pixel_bytes);
    };
    std::swap_ranges(a.begin() + from(at_a),
                     a.begin() + from(at_a) + static_cast<std::ptrdiff_t>(64 * pixel_bytes),
                     b.begin() + from(at_b));
  }
}

TEST_F(TamperProperty, exchanged_tiles_are_found_within_and_between_images) {
  const ImageShape shape{.rows = 200, .columns = 256, .frames = 1};
  const SealedImage one = seal_random(shape);
  const SealedImage two = seal_random(shape);
  for (std::uint32_t a = 0; a < 12; ++a)
    for (std::uint32_t b = 0; b < 12; ++b) {
      const finding::TilePosition at_a{a / 4, a % 4};
      const finding::TilePosition at_b{b / 4, b % 4};
      Bytes samples = one.samples;
      Bytes other = two.samples;
      if (a < b)
        exchange_tiles(samples, at_a, samples, at_b, shape);
      else
        exchange_tiles(samples, at_a, other, at_b, shape);
      DicomDataSet d = one.data_set;
      set_samples(d, samples);
      const seal::VerifyResult result = hospital_.verify(d.file(explicit_le), one.evidence);
      ASSERT_EQ(result.verdict, finding::Verdict::altered);
      const finding::Finding* finding = find_code(result, "pixels.altered");
      ASSERT_NE(finding, nullptr);
      ASSERT_EQ(finding->tiles, (a < b ? std::vector{at_a, at_b} : std::vector{at_a}));
    }
}

TEST_F(TamperProperty, removed_added_and_trailing_samples_are_found) {
  const ImageShape shape{.rows = 70, .columns = 66, .frames = 2};
  const SealedImage image = seal_random(shape);
  DicomDataSet d = image.data_set;
  Bytes samples = image.samples;
  samples.resize(shape.frame_bytes());
  set_samples(d, samples);
  EXPECT_NE(find_code(verify(d, image.evidence), "pixels.missing"), nullptr);
  EXPECT_EQ(verify(d, image.evidence).verdict, finding::Verdict::altered);

  d = image.data_set;
  samples = image.samples;
  samples.resize(samples.size() + 10, std::byte{7});
  set_samples(d, samples);
  const seal::VerifyResult longer = verify(d, image.evidence);
  EXPECT_EQ(longer.verdict, finding::Verdict::altered) << describe(longer);
  EXPECT_NE(find_code(longer, "pixels.added"), nullptr) << describe(longer);

  d = image.data_set;
  std::erase_if(d.elements, [](const auto& e) { return e.tag == dicom::tags::pixel_data; });
  EXPECT_EQ(verify(d, image.evidence).verdict, finding::Verdict::altered);
  EXPECT_NE(find_code(verify(d, image.evidence), "pixels.missing"), nullptr);
}

TEST_F(TamperProperty, bits_outside_bits_stored_are_sealed_where_they_can_be_carried) {
  ImageShape shape{.rows = 130, .columns = 66, .frames = 2, .bits_stored = 12};
  SealedImage image = seal_random(shape);
  // Something hidden above Bits Stored, which viewers do not show.
  Bytes samples = image.samples;
  samples[shape.frame_bytes() + 65 * 2 + 1] |= std::byte{0x40};
  DicomDataSet d = image.data_set;
  set_samples(d, samples);
  const seal::VerifyResult added = verify(d, image.evidence);
  ASSERT_EQ(added.verdict, finding::Verdict::altered);
  const finding::Finding* finding = find_code(added, "pixels.altered");
  ASSERT_NE(finding, nullptr);
  EXPECT_EQ(finding->frame, 2U);
  EXPECT_EQ(finding->tiles, (std::vector<finding::TilePosition>{{0, 1}}));
  // Sealed with it, it belongs to the image: changing or removing it is found.
  const Bytes evidence = hospital_.seal(read_dicom(d.file(explicit_le)));
  EXPECT_EQ(verify(d, evidence).verdict, finding::Verdict::authentic);
  EXPECT_EQ(verify(image.data_set, evidence).verdict, finding::Verdict::altered);
  samples[shape.frame_bytes() + 65 * 2 + 1] ^= std::byte{0x80};
  set_samples(d, samples);
  EXPECT_EQ(verify(d, evidence).verdict, finding::Verdict::altered);
}

// --- attributes -----------------------------------------------------------------------------

/// Every element of the data set that the seal covers, by its path as findings print it.
void for_each_element(DicomDataSet& data_set, const std::string& prefix,
                      const std::function<void(DicomDataSet&, std::size_t, std::string)>& visit) {
  std::map<std::uint16_t, std::string> creators;
  for (const DicomElement& element : data_set.elements)
    if (element.tag.is_private_creator()) {
      std::string name(as_text(element.value));
      while (!name.empty() && name.back() == ' ') name.pop_back();
      creators[static_cast<std::uint16_t>(element.tag.element)] = name;
    }
  for (std::size_t i = 0; i < data_set.elements.size(); ++i) {
    const dicom::Tag tag = data_set.elements[i].tag;
    std::string name = dicom::to_string(tag);
    if (tag.is_private()) {
      char text[64];
      if (tag.is_private_creator())
        std::snprintf(text, sizeof text, "(%04X,\"%s\")", tag.group, creators[tag.element].c_str());
      else
        std::snprintf(text, sizeof text, "(%04X,\"%s\",%02X)", tag.group,
                      creators[static_cast<std::uint16_t>(tag.element >> 8)].c_str(),
                      tag.element & 0xFFU);
      name = text;
    }
    visit(data_set, i, prefix + name);
    if (i >= data_set.elements.size()) return;  // the visit removed the last one
    auto& items = data_set.elements[i].items;
    for (std::size_t k = 0; k < items.size(); ++k)
      for_each_element(items[k], prefix + name + "[" + std::to_string(k + 1) + "].", visit);
  }
}

/// Applies `change` to element number `n` of a copy; absent past the last one. Returns its path.
struct Changed {
  DicomDataSet data_set;
  std::string path;
  DicomElement original;
};
std::optional<Changed> change_nth(const DicomDataSet& original, std::size_t n,
                                  const std::function<bool(DicomDataSet&, std::size_t)>& change) {
  Changed out{.data_set = original, .path = {}, .original = {}};
  std::size_t count = 0;
  bool found = false;
  bool changed = false;
  for_each_element(out.data_set, "", [&](DicomDataSet& parent, std::size_t i, std::string path) {
    if (found || count++ != n) return;
    found = true;
    out.path = std::move(path);
    out.original = parent.elements[i];
    changed = change(parent, i);
  });
  if (!found) return std::nullopt;
  if (!changed) out.path.clear();
  return out;
}

bool is_covered(dicom::Tag tag) {
  return tag != dicom::tags::specific_character_set && tag != dicom::tags::planar_configuration &&
         tag != dicom::tags::pixel_data;
}

/// Whether some finding names `path` with one of `codes`.
bool names(const seal::VerifyResult& result, const std::string& path,
           std::initializer_list<std::string_view> codes) {
  return std::ranges::any_of(result.findings, [&](const finding::Finding& finding) {
    return finding.attribute == path &&
           std::ranges::find(codes, finding::word_of(finding)) != codes.end();
  });
}

TEST_F(TamperProperty, every_attribute_that_changes_is_named) {
  const SealedImage image = seal_random();
  for (std::size_t n = 0;; ++n) {
    const auto changed = change_nth(image.data_set, n, [&](DicomDataSet& parent, std::size_t i) {
      DicomElement& element = parent.elements[i];
      if (!is_covered(element.tag) || element.vr == dicom::vr::sq) return false;
      if (element.tag.is_private_creator()) return false;  // renames its block: see below
      if (element.value.empty()) {
        element.value = bytes("3131");
      } else if (element.vr == dicom::vr::ui) {
        element.value.front() = static_cast<std::byte>('2');
      } else {
        std::byte& last = element.value[prng_() % element.value.size()];
        last = last == std::byte{'7'} ? std::byte{'8'} : std::byte{'7'};
      }
      return true;
    });
    if (!changed) break;
    if (changed->path.empty()) continue;
    const seal::VerifyResult result =
        hospital_.verify(changed->data_set.file(explicit_le), image.evidence);
    ASSERT_EQ(result.verdict, finding::Verdict::altered) << changed->path << describe(result);
    ASSERT_TRUE(names(result, changed->path, {"attribute.altered"})) << changed->path << "\n"
                                                                     << describe(result);
  }
}

TEST_F(TamperProperty, every_attribute_that_is_removed_or_emptied_is_named) {
  const SealedImage image = seal_random();
  for (const bool empty_only : {false, true})
    for (std::size_t n = 0;; ++n) {
      const auto changed = change_nth(image.data_set, n, [&](DicomDataSet& parent, std::size_t i) {
        DicomElement& element = parent.elements[i];
        if (!is_covered(element.tag) || element.tag.is_private_creator()) return false;
        if (empty_only) {
          if (element.value.empty() && element.items.empty()) return false;
          element.value.clear();
          element.items.clear();
        } else {
          // One frame may be said or not.
          if (element.tag == dicom::tags::number_of_frames && as_text(element.value) == "1 ")
            return false;
          parent.elements.erase(parent.elements.begin() + static_cast<std::ptrdiff_t>(i));
        }
        return true;
      });
      if (!changed) break;
      if (changed->path.empty()) continue;
      const seal::VerifyResult result =
          hospital_.verify(changed->data_set.file(explicit_le), image.evidence);
      ASSERT_EQ(result.verdict, finding::Verdict::altered) << changed->path << describe(result);
      const bool sequence = changed->original.vr == dicom::vr::sq;
      const bool named = empty_only && sequence
                             ? names(result, changed->path + "[1]", {"item.removed"})
                             : names(result, changed->path,
                                     {empty_only ? "attribute.altered" : "attribute.removed"});
      ASSERT_TRUE(named) << changed->path << "\n" << describe(result);
    }
}

TEST_F(TamperProperty, every_attribute_that_is_added_or_duplicated_is_named) {
  const SealedImage image = seal_random();
  for (const bool duplicate : {false, true})
    for (std::size_t n = 0;; ++n) {
      std::string added;
      const auto changed = change_nth(image.data_set, n, [&](DicomDataSet& parent, std::size_t i) {
        DicomElement copy = parent.elements[i];
        if (!is_covered(copy.tag) || copy.tag.is_private()) return false;
        if (!duplicate) {
          copy = {.tag = {0x0032, 0x4000}, .vr = dicom::vr::lt, .value = bytes("6869")};
          added = dicom::to_string(copy.tag);
        } else if (!copy.value.empty() && copy.vr != dicom::vr::ui) {
          copy.value.front() = std::byte{'9'};
        }
        parent.elements.insert(parent.elements.begin() + static_cast<std::ptrdiff_t>(i) + 1, copy);
        if (!duplicate) parent.sort();
        return true;
      });
      if (!changed) break;
      if (changed->path.empty()) continue;
      std::string path = changed->path;
      if (!added.empty()) {
        const std::size_t dot = path.rfind("].");
        path = (dot == std::string::npos ? "" : path.substr(0, dot + 2)) + added;
      }
      const seal::VerifyResult result =
          hospital_.verify(changed->data_set.file(explicit_le), image.evidence);
      ASSERT_EQ(result.verdict, finding::Verdict::altered) << path << "\n" << describe(result);
      ASSERT_TRUE(names(result, path, {"attribute.added"})) << path << "\n" << describe(result);
    }
}

TEST_F(TamperProperty, items_added_removed_and_exchanged_are_named) {
  const SealedImage image = seal_random();
  const dicom::Tag request{0x0040, 0x0275};
  DicomDataSet d = image.data_set;
  auto& items = element_of(d, request).items;
  items.push_back(items.front());
  seal::VerifyResult result = verify(d, image.evidence);
  EXPECT_EQ(result.verdict, finding::Verdict::altered);
  EXPECT_TRUE(names(result, "(0040,0275)[4]", {"item.added"})) << describe(result);

  d = image.data_set;
  element_of(d, request).items.pop_back();
  result = verify(d, image.evidence);
  EXPECT_EQ(result.verdict, finding::Verdict::altered);
  EXPECT_TRUE(names(result, "(0040,0275)[3]", {"item.removed"})) << describe(result);

  // An attribute that moves from one item to another is missing there and new here.
  d = image.data_set;
  auto& moved = element_of(d, request).items;
  DicomElement wandering{.tag = {0x0040, 0x1400}, .vr = dicom::vr::lt, .value = bytes("6161")};
  moved[0].add(wandering);
  const Bytes evidence = hospital_.seal(read_dicom(d.file(explicit_le)));
  EXPECT_EQ(verify(d, evidence).verdict, finding::Verdict::authentic);
  moved[0].elements.pop_back();
  moved[1].add(wandering);
  result = verify(d, evidence);
  EXPECT_EQ(result.verdict, finding::Verdict::altered);
  EXPECT_TRUE(names(result, "(0040,0275)[1].(0040,1400)", {"attribute.removed"}))
      << describe(result);
  EXPECT_TRUE(names(result, "(0040,0275)[2].(0040,1400)", {"attribute.added"})) << describe(result);
}

TEST_F(TamperProperty, values_may_not_move_between_private_creators) {
  const SealedImage image = seal_random();
  DicomDataSet d = image.data_set;
  Bytes& creator = element_of(d, {0x0029, 0x0010}).value;
  creator[0] = std::byte{'B'};  // "BCME" reserves the block now
  const seal::VerifyResult result = verify(d, image.evidence);
  EXPECT_EQ(result.verdict, finding::Verdict::altered);
  EXPECT_TRUE(names(result, "(0029,\"ACME\",01)", {"attribute.removed"})) << describe(result);
  EXPECT_TRUE(names(result, "(0029,\"BCME\",01)", {"attribute.added"})) << describe(result);
}

TEST_F(TamperProperty, another_character_set_gives_other_text_and_is_found) {
  const SealedImage image = seal_random();
  DicomDataSet d = image.data_set;
  Bytes& value = element_of(d, {0x0008, 0x0005}).value;
  value.assign(as_bytes("ISO_IR 101").begin(), as_bytes("ISO_IR 101").end());
  DicomDataSet greek = image.data_set;
  Bytes& other = element_of(greek, {0x0008, 0x0005}).value;
  other.assign(as_bytes("ISO_IR 126").begin(), as_bytes("ISO_IR 126").end());
  const seal::VerifyResult result = verify(greek, image.evidence);
  EXPECT_EQ(result.verdict, finding::Verdict::altered);
  EXPECT_TRUE(names(result, "(0010,0010)", {"attribute.altered"})) << describe(result);
  // In Latin 2 these very letters are the same: the text did not change.
  EXPECT_EQ(verify(d, image.evidence).verdict, finding::Verdict::authentic);
}

// --- evidence -------------------------------------------------------------------------------

TEST_F(TamperProperty, evidence_of_another_image_accuses_what_differs) {
  const ImageShape shape{.rows = 65, .columns = 65, .frames = 1};
  const SealedImage one = seal_random(shape);
  SealedImage two = seal_random(shape);
  const seal::VerifyResult result = hospital_.verify(one.data_set.file(explicit_le), two.evidence);
  ASSERT_EQ(result.verdict, finding::Verdict::altered);
  const finding::Finding* finding = find_code(result, "pixels.altered");
  ASSERT_NE(finding, nullptr);
  EXPECT_EQ(finding->tiles.size(), 4U);
  // The same, carried in the file, while the store knows the true evidence.
  std::vector<Bytes> storage;
  Bytes carrying;
  const dicom::File file = read_dicom(one.data_set.file(explicit_le));
  const auto parts = evidence::embed_parts(file, two.evidence, storage);
  ASSERT_TRUE(parts.has_value());
  for (const ByteView part : *parts) append(carrying, part);
  MemoryStore store;
  store.put("1.2.3.4.5.6.7", one.evidence);
  const seal::VerifyResult carried = hospital_.verify_carried(carrying, &store);
  EXPECT_EQ(carried.verdict, finding::Verdict::altered) << describe(carried);
  EXPECT_NE(find_code(carried, "seal.invalid"), nullptr) << describe(carried);
}

TEST_F(TamperProperty, no_changed_bit_of_evidence_is_believed) {
  const SealedImage image = seal_random(ImageShape{.rows = 70, .columns = 60, .frames = 1});
  const Bytes file = image.data_set.file(explicit_le);
  int refused = 0;
  for (int round = 0, last = fiducia::test::draws(1500); round < last; ++round) {
    Bytes evidence = image.evidence;
    const std::size_t at = prng_() % evidence.size();
    evidence[at] ^= static_cast<std::byte>(1U << prng_() % 8);
    const auto verifier = seal::Verifier::make(hospital_.trust(), {}, nullptr, {evidence});
    if (!verifier) {
      ++refused;
      continue;
    }
    const auto result = verifier->verify(read_dicom(file), nullptr);
    ASSERT_TRUE(result.has_value());
    ASSERT_NE(result->verdict, finding::Verdict::authentic) << "byte " << at;
  }
  EXPECT_LT(refused, 1500);  // most get as far as a verdict
}

TEST_F(TamperProperty, a_stranger_who_seals_anew_is_untrusted_and_the_store_tells_the_truth) {
  const SealedImage image = seal_random(ImageShape{.rows = 70, .columns = 60, .frames = 1});
  Hospital stranger("Stranger");
  DicomDataSet d = image.data_set;
  Bytes samples = image.samples;
  samples[0] ^= std::byte{1};
  set_samples(d, samples);
  const Bytes forged = stranger.seal_in_file(d.file(explicit_le));
  const seal::VerifyResult alone = hospital_.verify_carried(forged);
  EXPECT_EQ(alone.verdict, finding::Verdict::untrusted) << describe(alone);
  EXPECT_NE(find_code(alone, "signer.untrusted"), nullptr);
  const seal::VerifyResult result = hospital_.verify_carried(forged, &hospital_.store());
  EXPECT_EQ(result.verdict, finding::Verdict::altered) << describe(result);
  const finding::Finding* finding = find_code(result, "pixels.altered");
  ASSERT_NE(finding, nullptr);
  EXPECT_EQ(finding->tiles, (std::vector<finding::TilePosition>{{0, 0}}));
}

TEST_F(TamperProperty, a_stripped_image_with_new_identity_is_found_and_located) {
  const ImageShape shape{.rows = 256, .columns = 256, .frames = 1};
  const SealedImage image = seal_random(shape);
  DicomDataSet d = image.data_set;
  Bytes& uid = element_of(d, dicom::tags::sop_instance_uid).value;
  uid.assign(as_bytes("9.9.9.9").begin(), as_bytes("9.9.9.9").end());
  uid.push_back(std::byte{0});
  Bytes samples = image.samples;
  for (std::size_t i = 0; i < 40; ++i) samples[i] ^= std::byte{3};
  set_samples(d, samples);
  const seal::VerifyResult result =
      hospital_.verify_carried(d.file(explicit_be), &hospital_.store());
  EXPECT_EQ(result.verdict, finding::Verdict::altered) << describe(result);
  EXPECT_NE(find_code(result, "seal.stripped"), nullptr);
  EXPECT_TRUE(names(result, "(0008,0018)", {"attribute.altered"}));
  const finding::Finding* finding = find_code(result, "pixels.altered");
  ASSERT_NE(finding, nullptr);
  EXPECT_EQ(finding->tiles, (std::vector<finding::TilePosition>{{0, 0}}));
  // Less than half of the tiles: no accusation.
  for (std::size_t i = 0; i < samples.size() * 3 / 4; ++i) samples[i] ^= std::byte{3};
  set_samples(d, samples);
  const seal::VerifyResult other =
      hospital_.verify_carried(d.file(explicit_le), &hospital_.store());
  EXPECT_EQ(other.verdict, finding::Verdict::unsealed) << describe(other);
  EXPECT_NE(find_code(other, "similar.sealed"), nullptr);
}

}  // namespace
}  // namespace fiducia::test
