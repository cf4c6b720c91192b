// SPDX-License-Identifier: Apache-2.0
#include "dicom/writer.h"

#include <gtest/gtest.h>

#include "model.h"
#include "support/support.h"

namespace fiducia::dicom {
namespace {

using test::DicomDataSet;
using test::Syntax;

constexpr Tag creator_tag{0x0F1D, 0x0010};
constexpr Tag evidence_tag{0x0F1D, 0x1001};

Bytes joined(const std::vector<ByteView>& parts) {
  Bytes out;
  for (const ByteView part : parts) append(out, part);
  return out;
}

Result<Bytes> edited(const File& file, std::span<const Tag> remove,
                     std::span<const NewElement> add) {
  std::vector<Bytes> storage;
  FIDUCIA_TRY(parts, edit_parts(file, remove, add, storage));
  return joined(parts);
}

NewElement text(Tag tag, Vr vr, std::string_view value) {
  const ByteView view = as_bytes(value);
  return {.tag = tag, .vr = vr, .value = Bytes(view.begin(), view.end())};
}

File read(Bytes bytes) {
  auto file = File::read(std::move(bytes));
  if (!file) ADD_FAILURE() << to_sentence(file.error());
  FIDUCIA_ASSERT(file.has_value());
  return std::move(*file);
}

/// Files of one data set in every form that can be edited.
std::vector<std::pair<std::string, Bytes>> forms(const DicomDataSet& d) {
  std::vector<std::pair<std::string, Bytes>> out;
  for (const char* uid : {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2",
                          "1.2.840.10008.1.2.1.99"})
    out.emplace_back(uid, d.file(uid));
  out.emplace_back("bare implicit", d.encode(Syntax::implicit_le));
  out.emplace_back("bare explicit", d.encode(Syntax::explicit_le));
  out.emplace_back("bare big endian", d.encode(Syntax::explicit_be));
  const Bytes whole = d.file("1.2.840.10008.1.2.1");
  out.emplace_back("no preamble", Bytes(whole.begin() + 128, whole.end()));
  return out;
}

TEST(Writer, inserting_and_removing_gives_the_same_bytes_back) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  for (int round = 0; round < 25; ++round) {
    DicomDataSet d = test::random_data_set(prng, 2);
    d.text({0x0008, 0x0016}, "UI", "1.2").sort();  // bare data sets are known by a low group
    const std::vector<NewElement> add{
        text(creator_tag, vr::lo, "FIDUCIA "),
        {.tag = evidence_tag, .vr = vr::ob, .value = test::random_bytes(prng, 100'000)},
        {.tag = {0x0F1D, 0x1002}, .vr = vr::us, .value = test::bytes("0102")}};
    const Tag remove[] = {creator_tag, evidence_tag, {0x0F1D, 0x1002}};
    for (const auto& [name, bytes] : forms(d)) {
      SCOPED_TRACE(name);
      const File before = read(bytes);
      const auto with = edited(before, {}, add);
      ASSERT_TRUE(with.has_value()) << to_sentence(with.error());
      const File between = read(*with);
      // The model with the elements in their places, read by the independent expectation.
      DicomDataSet expected = d;
      for (const NewElement& element : add)
        expected.bytes(element.tag, element.vr.text(), element.value);
      expected.sort();
      const TransferSyntax& syntax = between.transfer_syntax();
      EXPECT_EQ(test::difference(expected, between.data_set(),
                                 !syntax.explicit_vr ? Syntax::implicit_le
                                 : syntax.big_endian ? Syntax::explicit_be
                                                     : Syntax::explicit_le),
                "");
      EXPECT_EQ(between.data_set_offset(), before.data_set_offset());
      const auto back = edited(between, remove, {});
      ASSERT_TRUE(back.has_value());
      if (syntax.deflated)
        EXPECT_TRUE(same_bytes(read(*back).data_set_bytes(), before.data_set_bytes()));
      else
        EXPECT_TRUE(same_bytes(*back, bytes));
      EXPECT_EQ(back->size() % 2, bytes.size() % 2);
    }
  }
}

TEST(Writer, no_edit_gives_one_part_that_is_the_file) {
  DicomDataSet d;
  d.us({0x0028, 0x0010}, 1).encapsulated({test::bytes("ffd8ffd9")});
  Bytes bytes = d.file("1.2.840.10008.1.2.4.50");
  bytes.resize(bytes.size() + 100);  // zeros after the end
  const File file = read(bytes);
  std::vector<Bytes> storage;
  const auto parts = edit_parts(file, {}, {}, storage);
  ASSERT_TRUE(parts.has_value());
  ASSERT_EQ(parts->size(), 1U);
  EXPECT_EQ((*parts)[0].data(), file.bytes().data());
  EXPECT_EQ((*parts)[0].size(), bytes.size());
}

TEST(Writer, the_header_form_follows_the_vr_and_the_length) {
  DicomDataSet d;
  d.us({0x0028, 0x0010}, 1);
  const auto inserted = [&](const char* uid, const NewElement& element) {
    const File file = read(d.file(uid));
    const auto with = edited(file, {}, {&element, 1});
    FIDUCIA_ASSERT(with.has_value());
    const auto start = static_cast<std::size_t>(file.data_set_offset());
    return to_hex(ByteView{*with}.subspan(start, std::min<std::size_t>(12, with->size() - start)));
  };
  const NewElement number{.tag = {0x0018, 0x1001}, .vr = vr::us, .value = test::bytes("0102")};
  const NewElement blob{.tag = {0x0019, 0x1001}, .vr = vr::ob, .value = Bytes(3'000'000)};
  const NewElement long_text{.tag = {0x0019, 0x1001}, .vr = vr::lo, .value = Bytes(70'000)};
  EXPECT_EQ(inserted("1.2.840.10008.1.2.1", number).substr(0, 20), "18000110555302000102");
  EXPECT_EQ(inserted("1.2.840.10008.1.2.2", number).substr(0, 20), "00181001555300020201");
  EXPECT_EQ(inserted("1.2.840.10008.1.2", number).substr(0, 20), "18000110020000000102");
  EXPECT_EQ(inserted("1.2.840.10008.1.2.1", blob), "190001104f420000c0c62d00");
  EXPECT_EQ(inserted("1.2.840.10008.1.2.2", blob), "001910014f420000002dc6c0");
  EXPECT_EQ(inserted("1.2.840.10008.1.2.1", long_text), "19000110554e000070110100");
}

TEST(Writer, sequences_and_duplicates_go_as_a_whole) {
  DicomDataSet item;
  item.us({0x0028, 0x0010}, 1);
  DicomDataSet d;
  d.text({0x0008, 0x0060}, "CS", "CT");
  d.sequence({0x0040, 0xA730}, {item, item}, test::Lengths::undefined);
  d.sequence({0x0040, 0xA730}, {item}, test::Lengths::defined);
  d.text({0x0040, 0xA992}, "ST", "x");
  DicomDataSet rest;
  rest.text({0x0008, 0x0060}, "CS", "CT").text({0x0040, 0xA992}, "ST", "x");
  const Tag remove[] = {{0x0040, 0xA730}};
  const auto without = edited(read(d.file("1.2.840.10008.1.2.1")), remove, {});
  ASSERT_TRUE(without.has_value());
  EXPECT_EQ(to_hex(*without), to_hex(rest.file("1.2.840.10008.1.2.1")));
}

TEST(Writer, group_lengths_of_edited_groups_are_left_out) {
  DicomDataSet d;
  d.ul({0x0008, 0x0000}, 10).text({0x0008, 0x0060}, "CS", "CT").text({0x0008, 0x0070}, "LO", "A");
  d.ul({0x0028, 0x0000}, 10).us({0x0028, 0x0010}, 1);
  const File file = read(d.file("1.2.840.10008.1.2.1"));
  const Tag remove[] = {{0x0008, 0x0070}, {0x0030, 0x0001}};
  const auto without = edited(file, remove, {});
  ASSERT_TRUE(without.has_value());
  const File after = read(*without);
  EXPECT_EQ(after.data_set().find({0x0008, 0x0000}), nullptr);
  EXPECT_NE(after.data_set().find({0x0028, 0x0000}), nullptr);
  EXPECT_NE(after.meta().find({0x0002, 0x0000}), nullptr);
  const Tag absent[] = {{0x0008, 0x0080}};
  const auto same = edited(file, absent, {});
  ASSERT_TRUE(same.has_value());
  EXPECT_TRUE(same_bytes(*same, file.bytes())) << "removing nothing edits nothing";
}

TEST(Writer, replaces_when_the_same_tag_is_removed) {
  DicomDataSet d;
  d.text({0x0010, 0x0010}, "PN", "A^B").us({0x0028, 0x0010}, 1);
  const File file = read(d.file("1.2.840.10008.1.2.1"));
  const Tag remove[] = {{0x0010, 0x0010}};
  const NewElement add[] = {text({0x0010, 0x0010}, vr::pn, "C^DE")};
  const auto replaced = edited(file, remove, add);
  ASSERT_TRUE(replaced.has_value());
  EXPECT_EQ(read(*replaced).data_set().find_text({0x0010, 0x0010}), "C^DE");
}

TEST(Writer, refuses_elements_that_cannot_be_added) {
  DicomDataSet d;
  d.text({0x0010, 0x0010}, "PN", "A^B");
  const File file = read(d.file("1.2.840.10008.1.2.1"));
  const auto code = [&](std::vector<NewElement> add) {
    const auto result = edited(file, {}, add);
    return result ? "" : code_word(result.error());
  };
  EXPECT_EQ(code({text({0x0010, 0x0020}, vr::lo, "1234")}), "");
  EXPECT_EQ(code({text({0x0010, 0x0010}, vr::pn, "C^DE")}), "unsupported.edit");
  EXPECT_EQ(code({text({0x0010, 0x0020}, vr::lo, "123")}), "unsupported.edit");
  EXPECT_EQ(code({text({0x0010, 0x0020}, Vr{'X', 'X'}, "1234")}), "unsupported.edit");
  EXPECT_EQ(code({text({0x0010, 0x0030}, vr::lo, "1234"), text({0x0010, 0x0020}, vr::lo, "1234")}),
            "unsupported.edit");
}

TEST(Writer, finds_a_free_private_block) {
  const auto block = [](const DicomDataSet& d) {
    const Bytes bytes = d.encode(Syntax::explicit_le);
    const auto parsed = parse_data_set(bytes, {.explicit_vr = true, .big_endian = false});
    FIDUCIA_ASSERT(parsed.has_value());
    const auto found = find_private_block(*parsed, 0x0F1D, "FIDUCIA");
    return found ? int{*found} : -1;
  };
  EXPECT_EQ(block({}), 0x10);
  EXPECT_EQ(block(DicomDataSet{}.private_creator(0x0F1D, 0x10, "ACME")), 0x11);
  EXPECT_EQ(block(DicomDataSet{}.private_creator(0x0F1F, 0x10, "ACME")), 0x10);
  EXPECT_EQ(block(DicomDataSet{}.us({0x0F1D, 0x1001}, 1)), 0x11) << "elements without creator";
  EXPECT_EQ(block(DicomDataSet{}
                      .private_creator(0x0F1D, 0x10, "ACME")
                      .private_creator(0x0F1D, 0x42, "FIDUCIA")),
            0x42);
  DicomDataSet full;
  for (unsigned i = 0x10; i <= 0xFF; ++i)
    full.private_creator(0x0F1D, static_cast<std::uint8_t>(i), "ACME " + std::to_string(i));
  EXPECT_EQ(block(full), -1);
  full.elements.pop_back();
  EXPECT_EQ(block(full), 0xFF);
}

}  // namespace
}  // namespace fiducia::dicom
