// SPDX-License-Identifier: Apache-2.0
#include "dicom/data_set.h"

#include <gtest/gtest.h>

#include "model.h"
#include "support/dicom_invariants.h"
#include "support/support.h"

namespace fiducia::dicom {
namespace {

using test::DicomDataSet;
using test::Lengths;
using test::Syntax;

constexpr Encoding implicit_le{.explicit_vr = false, .big_endian = false};
constexpr Encoding explicit_le{.explicit_vr = true, .big_endian = false};
constexpr Encoding explicit_be{.explicit_vr = true, .big_endian = true};
constexpr std::pair<Syntax, Encoding> all_encodings[] = {{Syntax::implicit_le, implicit_le},
                                                         {Syntax::explicit_le, explicit_le},
                                                         {Syntax::explicit_be, explicit_be}};

// --- the whole rule, by property ------------------------------------------------------------

TEST(DataSet, a_parsed_data_set_equals_the_model_it_was_written_from) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  std::size_t elements = 0;
  for (int round = 0, last = fiducia::test::draws(60); round < last; ++round) {
    const DicomDataSet model = test::random_data_set(prng, 3);
    for (const auto& [syntax, encoding] : all_encodings) {
      SCOPED_TRACE("round " + std::to_string(round) + " syntax " +
                   std::to_string(static_cast<int>(syntax)));
      const Bytes bytes = model.encode(syntax);
      const auto parsed = parse_data_set(bytes, encoding, 1000);
      ASSERT_TRUE(parsed.has_value()) << to_sentence(parsed.error());
      ASSERT_EQ(test::difference(model, *parsed, syntax), "");
      ASSERT_EQ(test::broken_invariant(*parsed, bytes, 1000), "");
      ASSERT_EQ(parsed->end_offset(), 1000 + bytes.size());
      elements += parsed->element_count();
    }
  }
  EXPECT_GT(elements, 1'000U) << "the generator makes too little to test anything";
}

// A cut anywhere is seen, and nothing past the cut is read.
TEST(DataSet, a_cut_data_set_is_refused_or_ends_between_elements) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  for (int round = 0; round < 5; ++round) {
    const DicomDataSet model = test::random_data_set(prng, 2);
    for (const auto& [syntax, encoding] : all_encodings) {
      std::vector<std::size_t> ends{0};
      DicomDataSet part;
      for (const auto& element : model.elements) {
        part.elements.push_back(element);
        ends.push_back(part.encode(syntax).size());
      }
      const Bytes bytes = model.encode(syntax);
      for (std::size_t length = 0; length < bytes.size(); ++length) {
        // A copy of its own, so that the address sanitizer sees a read past the cut.
        const Bytes cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length));
        const auto parsed = parse_data_set(cut, encoding);
        if (std::find(ends.begin(), ends.end(), length) != ends.end()) {
          ASSERT_TRUE(parsed.has_value()) << length;
          continue;
        }
        // Up to seven zeros at the end are padding.
        if (parsed) {
          ASSERT_LT(length - parsed->end_offset(), 8U);
          continue;
        }
        ASSERT_EQ(parsed.error().code, ErrorCode::truncated)
            << length << ": " << to_sentence(parsed.error());
        ASSERT_TRUE(parsed.error().where.offset.has_value());
        ASSERT_LE(*parsed.error().where.offset, length);
      }
    }
  }
}

// Flipped bytes: any answer, but within the bytes, and the same answer twice.
TEST(DataSet, damaged_bytes_give_an_error_or_a_sound_structure) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  for (int round = 0, last = fiducia::test::draws(1000); round < last; ++round) {
    const DicomDataSet model = test::random_data_set(prng, 2);
    const auto& [syntax, encoding] = all_encodings[prng() % 3];
    Bytes bytes = model.encode(syntax);
    if (bytes.empty()) continue;
    for (std::size_t i = 1 + prng() % 4; i > 0; --i)
      bytes[prng() % bytes.size()] = static_cast<std::byte>(prng() % 2 == 0 ? 0xFF : prng());
    const auto parsed = parse_data_set(bytes, encoding);
    const auto again = parse_data_set(bytes, encoding);
    ASSERT_EQ(parsed.has_value(), again.has_value());
    if (!parsed) {
      ASSERT_FALSE(parsed.error().what.empty());
      ASSERT_FALSE(parsed.error().remedy.empty());
      continue;
    }
    ASSERT_EQ(test::broken_invariant(*parsed, bytes, 0), "");
    ASSERT_TRUE(test::same_structure(*parsed, *again));
  }
}

// --- element headers, PS3.5 section 7.1 -----------------------------------------------------

TEST(DataSet, reads_the_header_forms_of_ps3_5_section_7_1) {
  struct Row {
    const char* name;
    const char* hex;
    Encoding encoding;
    Tag tag;
    Vr vr;
    Vr file_vr;
    VrSource source;
    std::size_t value_bytes;
  };
  for (const Row& row : {Row{"implicit",
                             "10001000 04000000 41424344",
                             implicit_le,
                             {0x10, 0x10},
                             vr::pn,
                             Vr{},
                             VrSource::dictionary,
                             4},
                         Row{"short form",
                             "10001000 504E 0400 41424344",
                             explicit_le,
                             {0x10, 0x10},
                             vr::pn,
                             vr::pn,
                             VrSource::file,
                             4},
                         Row{"long form",
                             "08001901 5543 0000 04000000 41424344",
                             explicit_le,
                             {0x08, 0x119},
                             vr::uc,
                             vr::uc,
                             VrSource::file,
                             4},
                         Row{"reserved bytes are ignored",
                             "08001901 5543 FFFF 04000000 41424344",
                             explicit_le,
                             {0x08, 0x119},
                             vr::uc,
                             vr::uc,
                             VrSource::file,
                             4},
                         Row{"big endian short form",
                             "00100010 504E 0004 41424344",
                             explicit_be,
                             {0x10, 0x10},
                             vr::pn,
                             vr::pn,
                             VrSource::file,
                             4},
                         Row{"big endian long form",
                             "00080119 5543 0000 00000004 41424344",
                             explicit_be,
                             {0x08, 0x119},
                             vr::uc,
                             vr::uc,
                             VrSource::file,
                             4},
                         Row{"64 bit SV",
                             "09000110 5356 0000 08000000 0102030405060708",
                             explicit_le,
                             {0x09, 0x1001},
                             vr::sv,
                             vr::sv,
                             VrSource::file,
                             8},
                         Row{"64 bit UV",
                             "09000110 5556 0000 08000000 0102030405060708",
                             explicit_le,
                             {0x09, 0x1001},
                             vr::uv,
                             vr::uv,
                             VrSource::file,
                             8},
                         Row{"64 bit OV",
                             "E07F0100 4F56 0000 08000000 0102030405060708",
                             explicit_le,
                             {0x7FE0, 0x0001},
                             vr::ov,
                             vr::ov,
                             VrSource::file,
                             8},
                         Row{"UN of a known tag",
                             "10001000 554E 0000 04000000 41424344",
                             explicit_le,
                             {0x10, 0x10},
                             vr::pn,
                             vr::un,
                             VrSource::dictionary,
                             4},
                         Row{"UN of a private tag",
                             "09000110 554E 0000 04000000 41424344",
                             explicit_le,
                             {0x09, 0x1001},
                             vr::un,
                             vr::un,
                             VrSource::unknown,
                             4},
                         Row{"UN of an unknown standard tag",
                             "08009999 554E 0000 04000000 41424344",
                             explicit_le,
                             {0x08, 0x9999},
                             vr::un,
                             vr::un,
                             VrSource::unknown,
                             4},
                         Row{"UN of a private creator",
                             "09001000 554E 0000 04000000 41424344",
                             explicit_le,
                             {0x09, 0x10},
                             vr::lo,
                             vr::un,
                             VrSource::dictionary,
                             4},
                         Row{"implicit private creator",
                             "09001000 04000000 41424344",
                             implicit_le,
                             {0x09, 0x10},
                             vr::lo,
                             Vr{},
                             VrSource::dictionary,
                             4},
                         Row{"implicit group length",
                             "09000000 04000000 41424344",
                             implicit_le,
                             {0x09, 0},
                             vr::ul,
                             Vr{},
                             VrSource::dictionary,
                             4},
                         Row{"implicit repeating group",
                             "02600030 04000000 41424344",
                             implicit_le,
                             {0x6002, 0x3000},
                             vr::ow,
                             Vr{},
                             VrSource::dictionary,
                             4},
                         Row{"implicit Pixel Data is OW",
                             "E07F1000 04000000 41424344",
                             implicit_le,
                             {0x7FE0, 0x10},
                             vr::ow,
                             Vr{},
                             VrSource::dictionary,
                             4},
                         Row{"capital letters that are no VR are long form",
                             "09000110 5858 0000 04000000 41424344",
                             explicit_le,
                             {0x09, 0x1001},
                             vr::un,
                             Vr{'X', 'X'},
                             VrSource::unknown,
                             4},
                         Row{"such letters at a known tag",
                             "10001000 5858 0000 04000000 41424344",
                             explicit_le,
                             {0x10, 0x10},
                             vr::pn,
                             Vr{'X', 'X'},
                             VrSource::dictionary,
                             4},
                         Row{"odd length",
                             "10001000 504E 0300 414243",
                             explicit_le,
                             {0x10, 0x10},
                             vr::pn,
                             vr::pn,
                             VrSource::file,
                             3}}) {
    SCOPED_TRACE(row.name);
    std::string hex;
    for (const char c : std::string_view(row.hex))
      if (c != ' ') hex += c;
    const Bytes bytes = test::bytes(hex);
    const auto parsed = parse_data_set(bytes, row.encoding);
    ASSERT_TRUE(parsed.has_value()) << to_sentence(parsed.error());
    ASSERT_EQ(parsed->element_count(), 1U);
    const Element& element = parsed->element(0);
    EXPECT_EQ(element.tag, row.tag);
    EXPECT_EQ(element.vr, row.vr);
    EXPECT_EQ(element.file_vr, row.file_vr);
    EXPECT_EQ(element.vr_source, row.source);
    EXPECT_EQ(element.value.size(), row.value_bytes);
    EXPECT_EQ(element.value.data() + element.value.size(), bytes.data() + bytes.size());
  }
}

TEST(DataSet, refuses_what_the_standard_forbids) {
  struct Row {
    const char* name;
    const char* hex;
    Encoding encoding;
    ErrorCode code;
    const char* kind;
  };
  for (const Row& row :
       {Row{"no VR letters", "10001000 04000000 41424344", explicit_le, ErrorCode::malformed, "vr"},
        Row{"small letters", "10001000 706E 0400 41424344", explicit_le, ErrorCode::malformed,
            "vr"},
        Row{"text of undefined length", "08001901 5543 0000 FFFFFFFF", explicit_le,
            ErrorCode::malformed, "undefined_length"},
        Row{"implicit text of undefined length", "10001000 FFFFFFFF", implicit_le,
            ErrorCode::malformed, "undefined_length"},
        Row{"unknown VR of undefined length", "09000110 5858 0000 FFFFFFFF", explicit_le,
            ErrorCode::malformed, "undefined_length"},
        Row{"item at top level", "FEFF00E0 00000000", explicit_le, ErrorCode::malformed,
            "delimiter"},
        Row{"sequence delimiter at top level", "FEFFDDE0 00000000", implicit_le,
            ErrorCode::malformed, "delimiter"},
        Row{"item longer than its sequence",
            "400030A7 5351 0000 08000000 FEFF00E0 04000000 10001000 504E 0200 4142", explicit_le,
            ErrorCode::malformed, "length"},
        Row{"value longer than its item",
            "400030A7 5351 0000 12000000 FEFF00E0 0A000000 10001000 504E 0400 4142 "
            "10002000 4C4F 0000",
            explicit_le, ErrorCode::malformed, "length"},
        Row{"item of undefined length without end inside a defined sequence",
            "400030A7 5351 0000 08000000 FEFF00E0 FFFFFFFF 10001000 504E 0000", explicit_le,
            ErrorCode::malformed, "delimiter"},
        Row{"item ended by a sequence delimiter",
            "400030A7 5351 0000 FFFFFFFF FEFF00E0 FFFFFFFF FEFFDDE0 00000000", explicit_le,
            ErrorCode::malformed, "delimiter"},
        Row{"value longer than the file", "10001000 504E 0400 4142", explicit_le,
            ErrorCode::truncated, ""},
        Row{"UN of FFFFFFFE bytes", "09000110 554E 0000 FEFFFFFF", explicit_le,
            ErrorCode::truncated, ""},
        Row{"header cut in the tag", "1000", explicit_le, ErrorCode::truncated, ""},
        Row{"header cut in the long form", "08001901 5543 0000", explicit_le, ErrorCode::truncated,
            ""},
        Row{"fragment of undefined length", "E07F1000 4F42 0000 FFFFFFFF FEFF00E0 FFFFFFFF",
            explicit_le, ErrorCode::malformed, "fragment"},
        Row{"element among fragments",
            "E07F1000 4F42 0000 FFFFFFFF FEFF00E0 00000000 10001000 504E 0000", explicit_le,
            ErrorCode::malformed, "fragment"},
        Row{"fragment longer than the file",
            "E07F1000 4F42 0000 FFFFFFFF FEFF00E0 00000000 FEFF00E0 04000000 FFD8", explicit_le,
            ErrorCode::truncated, ""}}) {
    SCOPED_TRACE(row.name);
    std::string hex;
    for (const char c : std::string_view(row.hex))
      if (c != ' ') hex += c;
    const Bytes bytes = test::bytes(hex);
    const auto parsed = parse_data_set(bytes, row.encoding, 128);
    ASSERT_FALSE(parsed.has_value());
    const Error& error = parsed.error();
    EXPECT_EQ(error.code, row.code) << to_sentence(error);
    EXPECT_EQ(error.kind, row.kind) << to_sentence(error);
    EXPECT_TRUE(error.what.ends_with('.')) << error.what;
    EXPECT_FALSE(error.remedy.empty());
    ASSERT_TRUE(error.where.offset.has_value());
    EXPECT_GE(*error.where.offset, 128U);
    EXPECT_LT(*error.where.offset, 128 + bytes.size());
  }
}

TEST(DataSet, a_long_value_is_named_with_path_offset_and_what_remains) {
  DicomDataSet d;
  d.us({0x0028, 0x0010}, 512);
  d.bytes(tags::pixel_data, "OW", Bytes(4096));
  d.elements.back().false_length = 524288;
  const auto parsed = parse_data_set(d.encode(Syntax::explicit_le), explicit_le, 1274);
  ASSERT_FALSE(parsed.has_value());
  EXPECT_EQ(to_sentence(parsed.error()),
            "(7FE0,0010) at byte 1284: 524288 bytes declared, 4096 remain. Fetch the file again "
            "from its source.");
}

TEST(DataSet, an_error_inside_items_names_the_path) {
  DicomDataSet inner;
  inner.text({0x0008, 0x0100}, "SH", "A");
  DicomDataSet broken;
  broken.private_creator(0x0029, 0x10, "ACME \"X\"").bytes({0x0029, 0x1001}, "OB", Bytes(4));
  broken.elements.back().false_length = 400;
  DicomDataSet d;
  d.sequence({0x0040, 0xA730}, {inner, inner, broken});
  d.text({0x0040, 0xA992}, "ST", std::string(600, 'x'));
  const auto parsed = parse_data_set(d.encode(Syntax::explicit_le), explicit_le);
  ASSERT_FALSE(parsed.has_value());
  EXPECT_EQ(parsed.error().where.element, "(0040,A730)[3].(0029,\"ACME ?X?\",01)");
  EXPECT_EQ(code_word(parsed.error()), "malformed.length");
}

// --- sequences ------------------------------------------------------------------------------

TEST(DataSet, all_forms_of_length_give_the_same_items) {
  DicomDataSet item;
  item.text({0x0008, 0x0100}, "SH", "CODE");
  const DicomDataSet empty;
  for (const auto& [syntax, encoding] : all_encodings)
    for (const Lengths lengths : {Lengths::defined, Lengths::undefined, Lengths::undefined_sequence,
                                  Lengths::undefined_items}) {
      DicomDataSet outer;
      outer.sequence({0x0040, 0xA730}, {item, empty, item}, lengths);
      DicomDataSet d;
      d.sequence({0x0040, 0xA730}, {outer, outer}, Lengths::undefined)
          .text({0x0040, 0xA992}, "ST", "after");
      const Bytes bytes = d.encode(syntax);
      const auto parsed = parse_data_set(bytes, encoding);
      ASSERT_TRUE(parsed.has_value()) << to_sentence(parsed.error());
      EXPECT_EQ(test::difference(d, *parsed, syntax), "");
      EXPECT_EQ(parsed->element_count(), 1U + 2 + 4 + 1);
    }
}

TEST(DataSet, superfluous_delimiters_are_accepted) {
  // Item of defined length followed by its delimiter; sequence of defined length by its own.
  const Bytes bytes = test::bytes(
      "400030a7"
      "5351"
      "0000"
      "18000000"
      "feff00e0"
      "00000000"
      "feff0de0"
      "00000000"
      "feffdde0"
      "00000000"
      "400092a9"
      "5354"
      "0200"
      "4142");
  const auto parsed = parse_data_set(bytes, explicit_le);
  ASSERT_TRUE(parsed.has_value()) << to_sentence(parsed.error());
  EXPECT_EQ(parsed->element(0).item_count, 1U);
  EXPECT_EQ(parsed->element_count(), 2U);
}

// Readers go on to the end, and so does this one: what is there is sealed, never authentic.
TEST(DataSet, delimiters_may_be_missing_at_the_end_of_the_bytes) {
  for (const std::string_view hex :
       {"400030a753510000fffffffffeff00e000000000",  // of the sequence
        "400030a753510000fffffffffeff00e0ffffffff",  // of item and sequence
        "e07f10004f420000fffffffffeff00e000000000",  // of fragments
        "400030a753510000fffffffffeff00e0ffffffff10001000504e02004142"}) {
    SCOPED_TRACE(hex);
    const Bytes value = test::bytes(hex);
    EXPECT_TRUE(parse_data_set(value, explicit_le).has_value());
    // Not where more follows.
    Bytes enclosed = test::bytes("400030a753510000");
    const auto append_length = [&](std::size_t length) {
      for (unsigned shift = 0; shift < 32; shift += 8)
        enclosed.push_back(static_cast<std::byte>(length >> shift));
    };
    append_length(value.size() + 8);
    append(enclosed, test::bytes("feff00e0"));
    append_length(value.size());
    append(enclosed, value);
    EXPECT_TRUE(parse_data_set(enclosed, explicit_le).has_value());
    append(enclosed, test::bytes("80000100554e0000"));
    EXPECT_FALSE(parse_data_set(enclosed, explicit_le).has_value());
  }
}

TEST(DataSet, nesting_is_limited_and_the_limit_itself_is_allowed) {
  const auto nested = [](std::uint32_t depth) {
    Bytes bytes;
    for (std::uint32_t i = 0; i < depth; ++i)
      append(bytes, test::bytes("400030a753510000fffffffffeff00e0ffffffff"));
    for (std::uint32_t i = 0; i < depth; ++i)
      append(bytes, test::bytes("feff0de000000000feffdde000000000"));
    return bytes;
  };
  const Bytes allowed = nested(limits::nesting_depth_max);
  const auto parsed = parse_data_set(allowed, explicit_le);
  ASSERT_TRUE(parsed.has_value()) << to_sentence(parsed.error());
  EXPECT_EQ(parsed->element_count(), limits::nesting_depth_max);
  const auto refused = parse_data_set(nested(limits::nesting_depth_max + 1), explicit_le);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(code_word(refused.error()), "malformed.nesting");
  EXPECT_FALSE(parse_data_set(allowed, explicit_le, 0, 1).has_value())
      << "what encloses the data set counts";
  const auto hostile = parse_data_set(nested(100'000), explicit_le);
  ASSERT_FALSE(hostile.has_value());
  EXPECT_EQ(code_word(hostile.error()), "malformed.nesting");
}

// --- UN and implicit VR, PS3.5 section 6.2.2 ------------------------------------------------

TEST(DataSet, un_holds_implicit_little_endian_items_in_every_syntax) {
  DicomDataSet item;
  item.text({0x0010, 0x0010}, "PN", "A^B").us({0x0028, 0x0010}, 0x0102);
  for (const auto& [syntax, encoding] : all_encodings)
    for (const Tag tag : {Tag{0x0029, 0x1001}, Tag{0x0040, 0xA730}})
      for (const Lengths lengths : {Lengths::defined, Lengths::undefined}) {
        DicomDataSet d;
        d.private_creator(0x0029, 0x10, "ACME").sequence(tag, {item, item}, lengths);
        d.elements.back().as_un = true;
        d.sort();
        const Bytes bytes = d.encode(syntax);
        const auto parsed = parse_data_set(bytes, encoding);
        ASSERT_TRUE(parsed.has_value()) << to_sentence(parsed.error());
        EXPECT_EQ(test::difference(d, *parsed, syntax), "");
      }
}

TEST(DataSet, bytes_that_are_not_items_to_the_end_stay_bytes) {
  DicomDataSet item;
  item.text({0x0010, 0x0010}, "PN", "A^B");
  DicomDataSet holder;
  holder.sequence({0x0029, 0x1001}, {item});
  const Bytes whole = holder.encode(Syntax::implicit_le);
  const Bytes items(whole.begin() + 8, whole.end());
  struct Row {
    const char* name;
    Bytes value;
    bool sequence;
  };
  Bytes with_rest = items;
  append(with_rest, test::bytes("00000000"));
  Bytes cut(items.begin(), items.end() - 2);
  Bytes odd = test::bytes("feff00e00b00000010001000030000004142430000");
  odd.pop_back();
  Bytes descending = test::bytes(
      "feff00e0100000001000200000000000"
      "1000100000000000");
  for (const Row& row : {Row{"items", items, true}, Row{"items and more", with_rest, false},
                         Row{"items cut", cut, false}, Row{"an odd value inside", odd, false},
                         Row{"tags that descend", descending, false},
                         Row{"a lone item header", test::bytes("feff00e000000000"), true},
                         Row{"four bytes", test::bytes("feff00e0"), false}}) {
    SCOPED_TRACE(row.name);
    for (const bool in_un : {false, true}) {
      DicomDataSet d;
      d.private_creator(0x0029, 0x10, "ACME").bytes({0x0029, 0x1001}, "UN", row.value);
      d.us({0x0028, 0x0010}, 7).sort();
      const Bytes bytes = d.encode(in_un ? Syntax::explicit_le : Syntax::implicit_le);
      const auto parsed = parse_data_set(bytes, in_un ? explicit_le : implicit_le);
      ASSERT_TRUE(parsed.has_value()) << to_sentence(parsed.error());
      const Element* element = parsed->find({0x0029, 0x1001});
      ASSERT_NE(element, nullptr);
      EXPECT_EQ(element->vr, row.sequence ? vr::sq : vr::un);
      EXPECT_EQ(element->vr_source, row.sequence ? VrSource::structure : VrSource::unknown);
      EXPECT_TRUE(same_bytes(element->value, row.value));
      EXPECT_EQ(element->item_count, row.sequence ? 1U : 0U);
      EXPECT_EQ(test::broken_invariant(*parsed, bytes, 0), "");
    }
  }
}

// What the dictionary knows to be a sequence may be as untidy as any; bytes that nobody vouches
// for may not.
TEST(DataSet, an_untidy_sequence_in_un_needs_a_dictionary) {
  DicomDataSet item;
  item.us({0x0028, 0x0010}, 2).us({0x0028, 0x0010}, 1).bytes({0x0010, 0x0010}, "PN", Bytes(3));
  for (const bool known : {false, true}) {
    const Tag tag = known ? Tag{0x0040, 0xA730} : Tag{0x0041, 0xA730};
    DicomDataSet d;
    d.sequence(tag, {item});
    d.elements.back().as_un = true;
    const Bytes bytes = d.encode(Syntax::explicit_le);
    const auto parsed = parse_data_set(bytes, explicit_le);
    ASSERT_TRUE(parsed.has_value()) << to_sentence(parsed.error());
    EXPECT_EQ(parsed->element(0).vr, known ? vr::sq : vr::un);
    EXPECT_EQ(parsed->element_count(), known ? 4U : 1U);
    EXPECT_FALSE(parsed->element(0).value.empty());
  }
  // Known, but no items at all: bytes.
  DicomDataSet d;
  d.bytes({0x0040, 0xA730}, "UN", test::bytes("feff00e00400000041424344"));
  const Bytes bytes = d.encode(Syntax::explicit_le);
  const auto parsed = parse_data_set(bytes, explicit_le);
  ASSERT_TRUE(parsed.has_value()) << to_sentence(parsed.error());
  EXPECT_EQ(parsed->element(0).vr, vr::un);
  EXPECT_EQ(parsed->element(0).vr_source, VrSource::unknown);
}

// The innermost element that fails is taken back, those around it stay sequences; and a chain of
// such elements is read once, not once a level.
TEST(DataSet, only_the_innermost_of_nested_guesses_is_taken_back) {
  Bytes value = test::bytes("feff00e00400000041424344");  // starts like an item, is none
  for (int level = 0; level < 20; ++level) {
    DicomDataSet item;
    item.private_creator(0x0029, 0x10, "ACME").bytes({0x0029, 0x1001}, "UN", value);
    DicomDataSet holder;
    holder.sequence({0x0029, 0x1001}, {item});
    const Bytes whole = holder.encode(Syntax::implicit_le);
    value.assign(whole.begin() + 8, whole.end());
  }
  DicomDataSet d;
  d.private_creator(0x0029, 0x10, "ACME").bytes({0x0029, 0x1001}, "UN", value);
  const Bytes bytes = d.encode(Syntax::implicit_le);
  const auto parsed = parse_data_set(bytes, implicit_le);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(test::broken_invariant(*parsed, bytes, 0), "");
  std::size_t sequences = 0;
  std::size_t plain = 0;
  for (ElementIndex i = 0; i < parsed->element_count(); ++i) {
    if (parsed->element(i).tag != Tag{0x0029, 0x1001}) continue;
    parsed->element(i).vr == vr::sq ? ++sequences : ++plain;
  }
  EXPECT_EQ(sequences, 20U);
  EXPECT_EQ(plain, 1U);
}

TEST(DataSet, us_or_ss_follows_pixel_representation) {
  for (const std::uint16_t sign : {std::uint16_t{0}, std::uint16_t{1}}) {
    DicomDataSet item;
    item.us({0x0028, 0x0106}, 5);
    DicomDataSet d;
    d.us({0x0028, 0x0103}, sign).us({0x0028, 0x0106}, 5).sequence({0x0040, 0x9096}, {item});
    const Bytes bytes = d.encode(Syntax::implicit_le);
    const auto parsed = parse_data_set(bytes, implicit_le);
    ASSERT_TRUE(parsed.has_value());
    const Vr expected = sign == 1 ? vr::ss : vr::us;
    EXPECT_EQ(parsed->find({0x0028, 0x0106})->vr, expected);
    const Element* sequence = parsed->find({0x0040, 0x9096});
    EXPECT_EQ(parsed->find_in(parsed->item(sequence->first_item), {0x0028, 0x0106})->vr, expected);
  }
}

TEST(DataSet, parse_implicit_items_gives_one_sequence) {
  DicomDataSet item;
  item.text({0x0010, 0x0010}, "PN", "A^B");
  DicomDataSet holder;
  holder.sequence({0x0029, 0x1001}, {item, item}, Lengths::undefined_items);
  const Bytes whole = holder.encode(Syntax::implicit_le);
  const ByteView items = ByteView{whole}.subspan(8);
  const auto parsed = parse_implicit_items({0x0029, 0x1001}, items, 500);
  ASSERT_TRUE(parsed.has_value()) << to_sentence(parsed.error());
  EXPECT_EQ(test::broken_invariant(*parsed, items, 500), "");
  const Element& sequence = parsed->element(parsed->first());
  EXPECT_EQ(sequence.tag, (Tag{0x0029, 0x1001}));
  EXPECT_EQ(sequence.vr, vr::sq);
  EXPECT_EQ(sequence.item_count, 2U);
  EXPECT_EQ(parsed->path_of(2), "(0029,1001)[2].(0010,0010)");

  const auto none = parse_implicit_items({0x0029, 0x1001}, {});
  ASSERT_TRUE(none.has_value());
  EXPECT_EQ(none->element(0).item_count, 0U);
  const Bytes text = test::bytes("4142434445464748");
  const auto refused = parse_implicit_items({0x0029, 0x1001}, text, 500);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(code_word(refused.error()), "malformed.item");
  EXPECT_EQ(refused.error().where.offset, 500U);
  EXPECT_FALSE(
      parse_implicit_items({0x0029, 0x1001}, items, 0, limits::nesting_depth_max).has_value());
}

// --- encapsulated Pixel Data, PS3.5 section A.4 ---------------------------------------------

TEST(DataSet, fragments_are_listed_with_their_offsets) {
  const Bytes a = test::bytes("ffd8ffd9");
  const Bytes b = test::bytes("ffd8000000ffd900");
  for (const Bytes& table : {Bytes{}, test::bytes("000000000c000000")}) {
    DicomDataSet d;
    d.us({0x0028, 0x0010}, 1).encapsulated({a, Bytes{}, b}, table);
    d.bytes(tags::data_set_trailing_padding, "OB", Bytes(6));
    const Bytes bytes = d.encode(Syntax::explicit_le);
    const auto parsed = parse_data_set(bytes, explicit_le);
    ASSERT_TRUE(parsed.has_value()) << to_sentence(parsed.error());
    ASSERT_EQ(parsed->fragments().size(), 3U);
    EXPECT_TRUE(same_bytes(parsed->fragments()[0], a));
    EXPECT_TRUE(parsed->fragments()[1].empty());
    EXPECT_TRUE(same_bytes(parsed->fragments()[2], b));
    EXPECT_EQ(parsed->fragment_offsets()[0], 0U);
    EXPECT_EQ(parsed->fragment_offsets()[1], 12U);
    EXPECT_EQ(parsed->fragment_offsets()[2], 20U);
    EXPECT_TRUE(same_bytes(parsed->basic_offset_table(), table));
    EXPECT_TRUE(parsed->find(tags::pixel_data)->encapsulated);
    EXPECT_NE(parsed->find(tags::data_set_trailing_padding), nullptr);
  }
}

TEST(DataSet, fragments_of_an_icon_are_not_those_of_the_image) {
  DicomDataSet icon;
  icon.encapsulated({test::bytes("ffd8ffd9")});
  DicomDataSet d;
  d.sequence({0x0088, 0x0200}, {icon}, Lengths::undefined);
  d.encapsulated({test::bytes("0102"), test::bytes("0304")});
  const Bytes bytes = d.encode(Syntax::explicit_le);
  const auto parsed = parse_data_set(bytes, explicit_le);
  ASSERT_TRUE(parsed.has_value()) << to_sentence(parsed.error());
  EXPECT_EQ(parsed->fragments().size(), 2U);
  const Element* sequence = parsed->find({0x0088, 0x0200});
  const Element* inner = parsed->find_in(parsed->item(sequence->first_item), tags::pixel_data);
  ASSERT_NE(inner, nullptr);
  EXPECT_TRUE(inner->encapsulated);
  EXPECT_EQ(to_hex(inner->value), "feff00e000000000feff00e004000000ffd8ffd9");
}

// --- order, duplicates, look-up -------------------------------------------------------------

TEST(DataSet, duplicates_are_marked_wherever_they_stand) {
  DicomDataSet item;
  item.us({0x0028, 0x0010}, 1).us({0x0028, 0x0011}, 2).us({0x0028, 0x0010}, 3);
  DicomDataSet d;
  d.us({0x0028, 0x0011}, 1).us({0x0028, 0x0010}, 2).us({0x0028, 0x0011}, 3);
  d.sequence({0x0040, 0xA730}, {item, item});
  const Bytes bytes = d.encode(Syntax::explicit_le);
  const auto parsed = parse_data_set(bytes, explicit_le);
  ASSERT_TRUE(parsed.has_value());
  std::string marks;
  for (ElementIndex i = 0; i < parsed->element_count(); ++i)
    marks += parsed->element(i).duplicate ? 'x' : '.';
  EXPECT_EQ(marks,
            "..x."
            "..x"
            "..x");
  EXPECT_EQ(parsed->find_us({0x0028, 0x0011}), 1) << "the first counts";
}

TEST(DataSet, values_are_found_in_any_byte_order) {
  DicomDataSet d;
  d.text({0x0008, 0x0018}, "UI", "1.2.3").text({0x0008, 0x0060}, "CS", " CT \\MR");
  d.text({0x0010, 0x4000}, "LT", "a\\b ").text({0x0020, 0x0010}, "SH", "");
  d.us({0x0028, 0x0010}, 0x1234).ul({0x0028, 0x0011}, 7);
  for (const auto& [syntax, encoding] : all_encodings) {
    const Bytes bytes = d.encode(syntax);
    const auto parsed = parse_data_set(bytes, encoding);
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(parsed->find_us({0x0028, 0x0010}), 0x1234);
    EXPECT_EQ(parsed->find_us({0x0028, 0x0011}), std::nullopt) << "four bytes are no US";
    EXPECT_EQ(parsed->find_us({0x0028, 0x0012}), std::nullopt);
    EXPECT_EQ(parsed->find_text({0x0008, 0x0018}), "1.2.3");
    EXPECT_EQ(parsed->find_text({0x0008, 0x0060}), "CT");
    EXPECT_EQ(parsed->find_text({0x0010, 0x4000}), "a\\b");
    EXPECT_EQ(parsed->find_text({0x0020, 0x0010}), std::nullopt);
    EXPECT_EQ(parsed->find_text({0x0020, 0x0011}), std::nullopt);
  }
}

TEST(DataSet, little_endian_value_swaps_by_the_unit_of_the_vr) {
  struct Row {
    const char* vr;
    const char* swapped;
  };
  const Bytes raw = test::bytes("000102030405060708");  // one byte more than any unit
  for (const Row& row : {Row{"OB", "000102030405060708"}, Row{"UN", "000102030405060708"},
                         Row{"LO", "000102030405060708"}, Row{"US", "010003020504070608"},
                         Row{"OW", "010003020504070608"}, Row{"AT", "010003020504070608"},
                         Row{"UL", "030201000706050408"}, Row{"OF", "030201000706050408"},
                         Row{"FD", "070605040302010008"}, Row{"OV", "070605040302010008"}}) {
    SCOPED_TRACE(row.vr);
    Element element;
    element.vr = Vr{row.vr[0], row.vr[1]};
    element.value = raw;
    Bytes scratch;
    EXPECT_EQ(little_endian_value(element, scratch).data(), raw.data());
    element.big_endian = true;
    EXPECT_EQ(to_hex(little_endian_value(element, scratch)), row.swapped);
  }
}

TEST(DataSet, paths_name_items_from_one_and_private_elements_by_creator) {
  DicomDataSet inner;
  inner.private_creator(0x0029, 0x11, "ACME 1").us({0x0029, 0x1110}, 1).us({0x0029, 0x1210}, 1);
  DicomDataSet d;
  d.sequence({0x5200, 0x9230}, {inner, inner});
  const Bytes bytes = d.encode(Syntax::explicit_le);
  const auto parsed = parse_data_set(bytes, explicit_le);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->path_of(0), "(5200,9230)");
  EXPECT_EQ(parsed->path_of(4), "(5200,9230)[2].(0029,\"ACME 1\")");
  EXPECT_EQ(parsed->path_of(5), "(5200,9230)[2].(0029,\"ACME 1\",10)");
  EXPECT_EQ(parsed->path_of(6), "(5200,9230)[2].(0029,1210)") << "nobody reserved the block";
  EXPECT_EQ(parsed->path_of_item(1), "(5200,9230)[2]");
}

TEST(DataSet, moves_keep_the_borrowed_values) {
  DicomDataSet d;
  d.us({0x0028, 0x0010}, 5);
  const Bytes bytes = d.encode(Syntax::explicit_le);
  auto parsed = parse_data_set(bytes, explicit_le);
  ASSERT_TRUE(parsed.has_value());
  DataSet moved = std::move(*parsed);
  DataSet assigned;
  assigned = std::move(moved);
  EXPECT_EQ(assigned.find_us({0x0028, 0x0010}), 5);
  EXPECT_EQ(DataSet{}.first(), no_index);
}

}  // namespace
}  // namespace fiducia::dicom
