// SPDX-License-Identifier: Apache-2.0
#include "dicom/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "model.h"
#include "support/dicom_invariants.h"
#include "support/support.h"

namespace fiducia::dicom {
namespace {

using test::DicomDataSet;
using test::Syntax;

constexpr const char* syntaxes[] = {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1",
                                    "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"};
Syntax syntax_of(std::string_view uid) {
  if (uid == "1.2.840.10008.1.2") return Syntax::implicit_le;
  return uid == "1.2.840.10008.1.2.2" ? Syntax::explicit_be : Syntax::explicit_le;
}

DicomDataSet small_image() {
  DicomDataSet d;
  d.text({0x0008, 0x0016}, "UI", "1.2.840.10008.5.1.4.1.1.7")
      .text({0x0008, 0x0018}, "UI", "2.25.1")
      .text({0x0010, 0x0010}, "PN", "A^B")
      .us({0x0028, 0x0010}, 2)
      .us({0x0028, 0x0011}, 2)
      .bytes(tags::pixel_data, "OW", test::bytes("0100020003000400"));
  return d;
}

std::vector<std::string> codes(const File& file) {
  std::vector<std::string> out;
  for (const Note& note : file.notes()) out.push_back(note.code);
  return out;
}

std::string code_of(const Result<File>& file) { return file ? "" : code_word(file.error()); }

Bytes text_bytes(std::string_view text) {
  const ByteView view = as_bytes(text);
  return {view.begin(), view.end()};
}

// --- what is read ---------------------------------------------------------------------------

TEST(File, reads_part_10_files_in_every_syntax) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  for (int round = 0, last = fiducia::test::draws(40); round < last; ++round) {
    const DicomDataSet model = test::random_data_set(prng, 2);
    for (const char* uid : syntaxes) {
      SCOPED_TRACE(uid);
      const auto file = File::read(model.file(uid));
      ASSERT_TRUE(file.has_value()) << to_sentence(file.error());
      EXPECT_EQ(file->transfer_syntax().uid, uid);
      EXPECT_TRUE(file->has_preamble());
      EXPECT_EQ(file->meta().element_count(), 6U);
      EXPECT_EQ(test::difference(model, file->data_set(), syntax_of(uid)), "");
      const std::uint64_t origin = file->transfer_syntax().deflated ? 0 : file->data_set_offset();
      EXPECT_EQ(test::broken_invariant(file->data_set(), file->data_set_bytes(), origin), "");
      EXPECT_THAT(codes(*file), testing::IsEmpty());
    }
  }
}

TEST(File, reads_bare_data_sets_by_guessing) {
  const DicomDataSet model = small_image();
  for (const Syntax syntax : {Syntax::implicit_le, Syntax::explicit_le, Syntax::explicit_be}) {
    const auto file = File::read(model.encode(syntax));
    ASSERT_TRUE(file.has_value()) << to_sentence(file.error());
    EXPECT_EQ(syntax_of(file->transfer_syntax().uid), syntax);
    EXPECT_FALSE(file->has_preamble());
    EXPECT_EQ(file->data_set_offset(), 0U);
    EXPECT_EQ(file->meta().element_count(), 0U);
    EXPECT_EQ(test::difference(model, file->data_set(), syntax), "");
    EXPECT_THAT(codes(*file), testing::ElementsAre("no_meta"));
  }
}

TEST(File, an_implicit_length_that_spells_a_vr_is_no_vr) {
  DicomDataSet d;
  // 0x00004853 bytes: the letters SH.
  d.bytes({0x0008, 0x0005}, "CS", Bytes(0x4853 + 1, std::byte{'A'}));
  d.elements[0].value.resize(0x4853);
  d.us({0x0028, 0x0010}, 1);
  const auto file = File::read(d.encode(Syntax::implicit_le));
  ASSERT_TRUE(file.has_value()) << to_sentence(file.error());
  EXPECT_FALSE(file->transfer_syntax().explicit_vr);
}

TEST(File, reads_files_without_preamble_or_prefix) {
  const Bytes whole = small_image().file("1.2.840.10008.1.2.1");
  for (const std::size_t from : {128U, 132U}) {
    const auto file =
        File::read(Bytes(whole.begin() + static_cast<std::ptrdiff_t>(from), whole.end()));
    ASSERT_TRUE(file.has_value()) << to_sentence(file.error());
    EXPECT_FALSE(file->has_preamble());
    EXPECT_EQ(file->meta().element_count(), 6U);
    EXPECT_EQ(test::difference(small_image(), file->data_set(), Syntax::explicit_le), "");
    EXPECT_THAT(codes(*file), testing::ElementsAre("no_preamble"));
  }
}

TEST(File, a_wrong_group_length_does_not_mislead) {
  for (const char* uid : syntaxes)
    for (const std::uint32_t length : {0U, 14U, 5000U, 0xFFFFFFFFU}) {
      const Bytes proper = small_image().file(uid);
      const auto right = File::read(proper);
      ASSERT_TRUE(right.has_value());
      const ByteView data_set =
          ByteView{proper}.subspan(static_cast<std::size_t>(right->data_set_offset()));
      const auto file = File::read(test::part10(uid, data_set, {}, length));
      ASSERT_TRUE(file.has_value()) << uid << " " << length << to_sentence(file.error());
      EXPECT_EQ(file->data_set_offset(), right->data_set_offset());
      EXPECT_THAT(codes(*file), testing::ElementsAre("meta_group_length", "meta_irregular"));
    }
}

TEST(File, guesses_when_the_meta_information_names_no_or_a_wrong_syntax) {
  const DicomDataSet model = small_image();
  for (const Syntax syntax : {Syntax::implicit_le, Syntax::explicit_le, Syntax::explicit_be}) {
    const auto unnamed = File::read(test::part10("", model.encode(syntax)));
    ASSERT_TRUE(unnamed.has_value()) << to_sentence(unnamed.error());
    EXPECT_EQ(syntax_of(unnamed->transfer_syntax().uid), syntax);
    EXPECT_THAT(codes(*unnamed), testing::ElementsAre("meta_irregular", "no_transfer_syntax"));
  }
  const auto wrong =
      File::read(test::part10("1.2.840.10008.1.2.1", model.encode(Syntax::implicit_le)));
  ASSERT_TRUE(wrong.has_value()) << to_sentence(wrong.error());
  EXPECT_EQ(wrong->transfer_syntax().uid, "1.2.840.10008.1.2");
  EXPECT_THAT(codes(*wrong), testing::ElementsAre("wrong_transfer_syntax"));

  DicomDataSet jpeg;
  jpeg.us({0x0028, 0x0010}, 1).encapsulated({test::bytes("ffd8ffd9")});
  auto implicit_jpeg =
      File::read(test::part10("1.2.840.10008.1.2.4.50", jpeg.encode(Syntax::implicit_le)));
  ASSERT_TRUE(implicit_jpeg.has_value()) << to_sentence(implicit_jpeg.error());
  const File moved = std::move(*implicit_jpeg);
  EXPECT_FALSE(moved.transfer_syntax().explicit_vr);
  EXPECT_EQ(moved.transfer_syntax().encoding, PixelEncoding::jpeg_baseline);
  const auto bare_jpeg = File::read(jpeg.encode(Syntax::explicit_le));
  ASSERT_TRUE(bare_jpeg.has_value());
  EXPECT_EQ(bare_jpeg->transfer_syntax().encoding, PixelEncoding::unknown);
  EXPECT_TRUE(bare_jpeg->transfer_syntax().encapsulated);
}

TEST(File, an_unknown_transfer_syntax_is_unsupported) {
  const auto file = File::read(small_image().file("1.2.840.113619.5.2"));
  EXPECT_EQ(code_of(file), "unsupported.transfer_syntax");
  EXPECT_EQ(file.error().where.element, "(0002,0010)");
}

TEST(File, oddities_become_notes) {
  struct Row {
    const char* code;
    DicomDataSet data_set;
    Bytes after;
  };
  std::vector<Row> rows;
  rows.push_back({"odd_length", DicomDataSet{}.bytes({0x0010, 0x0010}, "PN", Bytes(225)), {}});
  rows.push_back(
      {"out_of_order", DicomDataSet{}.us({0x0028, 0x0011}, 1).us({0x0028, 0x0010}, 1), {}});
  rows.push_back(
      {"duplicate_element", DicomDataSet{}.us({0x0028, 0x0011}, 1).us({0x0028, 0x0011}, 1), {}});
  rows.push_back({"trailing_zeros", DicomDataSet{}.us({0x0028, 0x0011}, 1), Bytes(1000)});
  rows.push_back({"trailing_zeros", DicomDataSet{}.us({0x0028, 0x0011}, 1), Bytes(3)});
  rows.push_back(
      {"forbidden_group", DicomDataSet{}.us({0x0006, 0x0011}, 1).us({0x0028, 0x0011}, 1), {}});
  rows.push_back({"pixel_data_form", DicomDataSet{}.encapsulated({Bytes(2)}), {}});
  rows.push_back({"unknown_vr", DicomDataSet{},
                  test::bytes("0900011058580000"
                              "00000000")});
  for (const Row& row : rows) {
    SCOPED_TRACE(row.code);
    Bytes bytes = row.data_set.file("1.2.840.10008.1.2.1");
    append(bytes, row.after);
    const auto file = File::read(bytes);
    ASSERT_TRUE(file.has_value()) << to_sentence(file.error());
    EXPECT_THAT(codes(*file), testing::Contains(row.code));
    for (const Note& note : file->notes()) {
      EXPECT_TRUE(note.text.ends_with('.'));
      EXPECT_LE(note.offset, bytes.size());
    }
  }
}

// --- hostile files --------------------------------------------------------------------------

TEST(File, a_preamble_of_another_format_is_a_note) {
  struct Row {
    std::string_view preamble;
    const char* code;
  };
  for (const Row& row : {Row{"MZ\x90", "preamble_executable"},
                         Row{"\x7F"
                             "ELF",
                             "preamble_executable"},
                         Row{"%PDF-1.7", "preamble_pdf"}, Row{"#!/bin/sh", "preamble_executable"},
                         Row{"PK\x03\x04", "preamble_archive"},
                         Row{std::string_view("II*\0", 4), "preamble_tiff"}}) {
    const auto file = File::read(test::part10(
        "1.2.840.10008.1.2.1", small_image().encode(Syntax::explicit_le), as_bytes(row.preamble)));
    ASSERT_TRUE(file.has_value());
    EXPECT_THAT(codes(*file), testing::ElementsAre(row.code));
  }
}

TEST(File, what_is_no_dicom_is_named_so) {
  std::mt19937_64 prng{7};
  Bytes noise = test::random_bytes(prng, 4096);
  noise[0] = noise[1] = std::byte{0x41};
  for (const Bytes& bytes :
       {Bytes{}, text_bytes("Hello, this is a text file.\nIt has lines.\n"), text_bytes("short"),
        test::bytes("ffd8ffe000104a46494600010100000100010000ffdb"),
        test::bytes("89504e470d0a1a0a0000000d49484452"), Bytes(4096), noise,
        text_bytes("<html><body></body></html>"), text_bytes("%PDF-1.7 and so on and on")}) {
    const auto file = File::read(bytes, "x");
    ASSERT_FALSE(file.has_value())
        << to_hex(ByteView{bytes}.first(std::min<std::size_t>(bytes.size(), 8)));
    EXPECT_EQ(code_of(file), "malformed.not_dicom") << to_sentence(file.error());
    EXPECT_EQ(file.error().where.file, "x");
    EXPECT_FALSE(file.error().remedy.empty());
  }
}

TEST(File, truncated_pixel_data_is_truncated) {
  DicomDataSet d = small_image();
  d.elements.back().value.resize(524288);
  Bytes bytes = d.file("1.2.840.10008.1.2.1");
  bytes.resize(bytes.size() - 520192);
  const auto file = File::read(bytes, "0001.dcm");
  ASSERT_FALSE(file.has_value());
  EXPECT_EQ(code_of(file), "malformed.truncated");
  EXPECT_EQ(file.error().where.element, "(7FE0,0010)");
  EXPECT_EQ(file.error().what, "524288 bytes declared, 4096 remain.");
}

TEST(File, huge_lengths_in_small_files_cost_nothing) {
  for (const char* vr : {"UN", "OW"}) {
    DicomDataSet d;
    d.bytes(vr == std::string_view("UN") ? Tag{0x0009, 0x1001} : tags::pixel_data, vr, Bytes(8));
    d.elements[0].false_length = 0xFFFFFFFE;
    EXPECT_EQ(code_of(File::read(d.file("1.2.840.10008.1.2.1"))), "malformed.truncated");
  }
}

TEST(File, deep_nesting_is_refused) {
  Bytes nested;
  for (int i = 0; i < 100'000; ++i)
    append(nested, test::bytes("400030a753510000fffffffffeff00e0ffffffff"));
  const auto file = File::read(test::part10("1.2.840.10008.1.2.1", nested));
  EXPECT_EQ(code_of(file), "malformed.nesting");
  EXPECT_EQ(file.error().where.element, "(0040,A730)");
}

TEST(File, a_million_empty_elements_are_read) {
  Bytes bytes;
  const Bytes empty = test::bytes("4c4f0000");
  for (std::uint32_t i = 0; i < 1'000'000; ++i) {
    append_le(bytes, static_cast<std::uint16_t>(0x1001 + 2 * (i >> 16)));
    append_le(bytes, static_cast<std::uint16_t>(i));
    append(bytes, empty);
  }
  const auto file = File::read(test::part10("1.2.840.10008.1.2.1", bytes));
  ASSERT_TRUE(file.has_value()) << to_sentence(file.error());
  EXPECT_EQ(file->data_set().element_count(), 1'000'000U);
}

TEST(File, more_elements_than_the_limit_are_refused_as_big) {
  Bytes bytes;
  bytes.reserve(std::size_t{limits::elements_max} * 8 + 800);
  const Bytes empty = test::bytes("011000104c4f0000");
  for (std::uint32_t i = 0; i <= limits::elements_max; ++i) append(bytes, empty);
  const auto file = File::read(test::part10("1.2.840.10008.1.2.1", bytes));
  EXPECT_EQ(code_of(file), "limit.reached");
}

TEST(File, a_decompression_bomb_is_refused_and_a_dense_data_set_is_not) {
  DicomDataSet d = small_image();
  d.elements.back().value.resize(160U << 20);
  const Bytes bomb = d.file("1.2.840.10008.1.2.1.99");
  ASSERT_LT(bomb.size(), 200'000U);
  EXPECT_EQ(code_of(File::read(bomb)), "limit.reached");
  d.elements.back().value.resize(8U << 20);
  EXPECT_EQ(code_of(File::read(d.file("1.2.840.10008.1.2.1.99"))), "");
}

TEST(File, damaged_deflate_streams_are_refused_and_bytes_after_them_ignored) {
  const Bytes whole = small_image().file("1.2.840.10008.1.2.1.99");
  const auto file = File::read(whole);
  ASSERT_TRUE(file.has_value());
  const auto start = static_cast<std::size_t>(file->data_set_offset());
  Bytes cut(whole.begin(), whole.end() - 8);
  EXPECT_EQ(code_of(File::read(cut)), "malformed.truncated");
  Bytes damaged = whole;
  damaged[start] = std::byte{0x07};  // reserved block type
  EXPECT_EQ(code_of(File::read(damaged)), "malformed.deflate");
  Bytes longer = whole;
  longer.resize(longer.size() + 100);
  const auto padded = File::read(longer);
  ASSERT_TRUE(padded.has_value()) << to_sentence(padded.error());
  EXPECT_THAT(codes(*padded), testing::ElementsAre("bytes_after_deflate"));
  EXPECT_TRUE(same_bytes(padded->data_set_bytes(), file->data_set_bytes()));
}

// --- ownership ------------------------------------------------------------------------------

TEST(File, opens_mapped_files_and_survives_moves) {
  const test::ScratchFolder scratch;
  for (const std::size_t pixel_bytes : {8U, 1U << 20}) {
    DicomDataSet d = small_image();
    d.elements.back().value.resize(pixel_bytes);
    const Bytes bytes = d.file("1.2.840.10008.1.2.1");
    const auto path = scratch.path() / "image.dcm";
    ASSERT_TRUE(durable_write(path, bytes).has_value());
    auto opened = File::open(path);
    ASSERT_TRUE(opened.has_value()) << to_sentence(opened.error());
    const File file = std::move(*opened);
    EXPECT_EQ(file.name(), path.string());
    EXPECT_TRUE(same_bytes(file.bytes(), bytes));
    EXPECT_EQ(file.data_set().find_text({0x0010, 0x0010}), "A^B");
    const ByteView pixels = file.data_set().find(tags::pixel_data)->value;
    file.release(pixels);
    EXPECT_EQ(pixels.size(), pixel_bytes);
    EXPECT_EQ(to_hex(pixels.first(4)), "01000200");
    EXPECT_FALSE(file.was_truncated());
  }
  const auto missing = File::open(scratch.path() / "none.dcm");
  EXPECT_EQ(code_of(missing), "io.unreadable");
}

// --- files of others ------------------------------------------------------------------------

TEST(File, sample_files_of_pydicom_open_or_fail_with_a_code) {
  const std::filesystem::path folder = "/usr/lib/python3/dist-packages/pydicom/data";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "install python3-pydicom to run this test";
  const std::map<std::string, std::string> refused{{"MR_truncated.dcm", "malformed.truncated"},
                                                   {"rtplan_truncated.dcm", "malformed.truncated"},
                                                   {"no_meta.dcm", "malformed.not_dicom"}};
  // Elements of all depths without group 0002, as pydicom's iterall() counts them.
  const std::map<std::string, std::size_t> counts{
      {"CT_small.dcm", 262},      {"MR_small.dcm", 73},  {"rtplan.dcm", 126},
      {"waveform_ecg.dcm", 1246}, {"test-SR.dcm", 305},  {"UN_sequence.dcm", 7},
      {"image_dfl.dcm", 29},      {"rtstruct.dcm", 106}, {"liver_expb_1frame.dcm", 142}};
  std::size_t opened = 0;
  std::size_t counted = 0;
  for (const char* part : {"test_files", "charset_files"}) {
    const auto paths = list_files(folder / part);
    ASSERT_TRUE(paths.has_value());
    for (const auto& path : *paths) {
      if (path.extension() != ".dcm") continue;
      SCOPED_TRACE(path.string());
      const std::string name = path.filename().string();
      const auto file = File::open(path);
      const auto expected = refused.find(name);
      EXPECT_EQ(code_of(file), expected == refused.end() ? "" : expected->second)
          << (file ? "" : to_sentence(file.error()));
      if (!file) continue;
      ++opened;
      const std::uint64_t origin = file->transfer_syntax().deflated ? 0 : file->data_set_offset();
      EXPECT_EQ(test::broken_invariant(file->data_set(), file->data_set_bytes(), origin), "");
      if (const auto count = counts.find(name); count != counts.end()) {
        ++counted;
        EXPECT_EQ(file->data_set().element_count(), count->second);
      }
    }
  }
  EXPECT_GT(opened, 60U);
  EXPECT_GE(counted, counts.size());
}

TEST(File, a_dicomdir_of_pydicom_is_read) {
  const std::filesystem::path path =
      "/usr/lib/python3/dist-packages/pydicom/data/test_files/dicomdirtests/DICOMDIR";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "install python3-pydicom to run this test";
  const auto file = File::open(path);
  ASSERT_TRUE(file.has_value()) << to_sentence(file.error());
  const Element* records = file->data_set().find({0x0004, 0x1220});
  ASSERT_NE(records, nullptr);
  EXPECT_GT(records->item_count, 10U);
}

}  // namespace
}  // namespace fiducia::dicom
