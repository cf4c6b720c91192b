// SPDX-License-Identifier: Apache-2.0
#include "dicom/editable.h"

#include <gtest/gtest.h>

#include "dicom/attributes.h"
#include "dicom/file.h"
#include "support/dicom_builder.h"
#include "support/support.h"

namespace fiducia::dicom {
namespace {

using test::DicomDataSet;
using test::DicomElement;
using test::Syntax;

constexpr Syntax written_syntaxes[] = {Syntax::implicit_le, Syntax::explicit_le,
                                       Syntax::explicit_be};

Encoding written_encoding(Syntax syntax) {
  return {.explicit_vr = syntax != Syntax::implicit_le,
          .big_endian = syntax == Syntax::explicit_be};
}
test::Lengths builder_lengths(LengthForm sequences, LengthForm items) {
  if (sequences == LengthForm::undefined)
    return items == LengthForm::undefined ? test::Lengths::undefined
                                          : test::Lengths::undefined_sequence;
  return items == LengthForm::undefined ? test::Lengths::undefined_items : test::Lengths::defined;
}
AttributePath at_path(const char* text) { return AttributePath::parse(text).value(); }

/// The model with the same lengths everywhere, no UN and whole tags: what an editor can say.
void make_plain(DicomDataSet& model, test::Lengths lengths) {
  for (DicomElement& element : model.elements) {
    element.lengths = lengths;
    element.as_un = false;
    if (element.vr == vr::at) element.value.resize(element.value.size() / 4 * 4);
    for (DicomDataSet& item : element.items) make_plain(item, lengths);
  }
}

/// Builds the model element by element, each by its path.
void build(EditableDataSet& out, const DicomDataSet& model, const std::optional<AttributePath>& in,
           std::mt19937_64& prng) {
  std::vector<const DicomElement*> order;
  for (const DicomElement& element : model.elements) order.push_back(&element);
  std::ranges::shuffle(order, prng);
  for (const DicomElement* element : order) {
    const AttributePath at = in ? in->inside({.tag = element->tag}) : AttributePath(element->tag);
    if (element->vr != vr::sq) {
      ASSERT_TRUE(out.set(at, element->vr, element->value).has_value()) << at.text();
      continue;
    }
    ASSERT_TRUE(out.set_sequence(at).has_value());
    for (std::uint32_t i = 1; i <= element->items.size(); ++i) {
      ASSERT_TRUE(out.insert_item(at.item(i)).has_value()) << at.text();
      build(out, element->items[i - 1], at.item(i), prng);
    }
  }
}

TEST(EditableDataSet, is_written_as_an_independent_writer_writes_it) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  for (int round = 0; round < test::draws(25); ++round) {
    DicomDataSet model = test::random_data_set(prng, 2);
    make_plain(model, test::Lengths::defined);
    EditableDataSet built;
    build(built, model, {}, prng);
    for (const Syntax syntax : written_syntaxes)
      for (const LengthForm sequences : {LengthForm::defined, LengthForm::undefined})
        for (const LengthForm items : {LengthForm::defined, LengthForm::undefined}) {
          make_plain(model, builder_lengths(sequences, items));
          const auto encoded = built.encode(
              {.encoding = written_encoding(syntax), .sequences = sequences, .items = items});
          ASSERT_TRUE(encoded.has_value()) << to_sentence(encoded.error());
          ASSERT_EQ(to_hex(encoded->joined()), to_hex(model.encode(syntax)));
          ASSERT_EQ(encoded->size(), encoded->joined().size());
        }
  }
}

/// The first place where two parsed data sets differ in what they say; `is_lossy`: private VRs are
/// gone on one side.
std::string first_difference(const DataSet& a, const DataSet& b, bool is_lossy) {
  if (a.element_count() != b.element_count()) return "number of elements";
  for (ElementIndex i = 0; i < a.element_count(); ++i) {
    const Element& x = a.element(i);
    const Element& y = b.element(i);
    if (x.tag != y.tag) return a.path_of(i) + ": tag";
    if (a.path_of(i) != b.path_of(i)) return a.path_of(i) + ": place";
    const bool may_differ = is_lossy && (x.vr == vr::un || y.vr == vr::un);
    if (x.vr != y.vr && !may_differ) return a.path_of(i) + ": VR";
    if (x.item_count != y.item_count) return a.path_of(i) + ": items";
    if (x.encapsulated != y.encapsulated) return a.path_of(i) + ": fragments";
    Bytes swap_x;
    Bytes swap_y;
    if (x.vr != vr::sq &&
        !same_bytes(little_endian_value(x, swap_x), little_endian_value(y, swap_y)))
      return a.path_of(i) + ": value";
  }
  return "";
}

TEST(EditableDataSet, says_the_same_in_every_encoding_when_nothing_is_edited) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  for (int round = 0; round < test::draws(25); ++round) {
    const DicomDataSet model = test::random_data_set(prng, 2);
    for (const Syntax from : written_syntaxes) {
      const Bytes bytes = model.encode(from);
      const auto read = parse_data_set(bytes, written_encoding(from));
      ASSERT_TRUE(read.has_value());
      const EditableDataSet unedited(*read);
      for (const Syntax to : written_syntaxes)
        for (const LengthForm lengths : {LengthForm::defined, LengthForm::undefined}) {
          const auto encoded = unedited.encode(
              {.encoding = written_encoding(to), .sequences = lengths, .items = lengths});
          ASSERT_TRUE(encoded.has_value()) << to_sentence(encoded.error());
          const Bytes written = encoded->joined();
          const auto again = parse_data_set(written, written_encoding(to));
          ASSERT_TRUE(again.has_value()) << to_sentence(again.error());
          ASSERT_EQ(first_difference(*read, *again, from != to), "");
          if (from == to && lengths == LengthForm::defined) {
            // Twice is once.
            const auto twice =
                EditableDataSet(*again).encode({.encoding = written_encoding(to)}).value().joined();
            ASSERT_EQ(to_hex(twice), to_hex(written));
          }
        }
    }
  }
}

/// The same edits on a model of nested vectors.
struct Twin {
  DicomDataSet model;
  EditableDataSet edited;

  struct Spot {
    DicomDataSet* in;
    std::optional<AttributePath> item;
  };
  void collect(DicomDataSet& in, const std::optional<AttributePath>& at, std::vector<Spot>& out) {
    out.push_back({&in, at});
    for (DicomElement& element : in.elements)
      for (std::uint32_t i = 0; i < element.items.size(); ++i)
        collect(element.items[i],
                (at ? at->inside({.tag = element.tag}) : AttributePath(element.tag)).item(i + 1),
                out);
  }
  static std::vector<DicomElement>::iterator find(DicomDataSet& in, Tag tag) {
    return std::ranges::find(in.elements, tag, &DicomElement::tag);
  }
  static void put(DicomDataSet& in, DicomElement element) {
    std::erase_if(in.elements, [&](const DicomElement& e) { return e.tag == element.tag; });
    in.add(std::move(element)).sort();
  }

  void edit(std::mt19937_64& prng) {
    std::vector<Spot> spots;
    collect(model, {}, spots);
    const Spot spot = spots[prng() % spots.size()];
    constexpr Tag values[] = {
        {0x0008, 0x0018}, {0x0010, 0x0010}, {0x0018, 0x1050}, {0x0028, 0x0010}};
    constexpr Vr vrs[] = {vr::ui, vr::pn, vr::ds, vr::us};
    constexpr Tag sequences[] = {{0x0008, 0x1115}, {0x0040, 0x0275}, {0x0040, 0xA730}};
    const auto at = [&](Tag tag) {
      return spot.item ? spot.item->inside({.tag = tag}) : AttributePath(tag);
    };
    const Tag sequence = sequences[prng() % std::size(sequences)];
    const auto there = find(*spot.in, sequence);
    const std::size_t count = there == spot.in->elements.end() ? 0 : there->items.size();
    ASSERT_EQ(edited.count_items(at(sequence)), count);
    switch (prng() % 6) {
      case 0:
      case 1: {
        const std::size_t which = prng() % std::size(values);
        const Bytes value = test::random_bytes(prng, 2 * (prng() % 4));
        ASSERT_TRUE(edited.set(at(values[which]), vrs[which], value).has_value());
        put(*spot.in, {.tag = values[which], .vr = vrs[which], .value = value});
        break;
      }
      case 2: {
        const Tag tag = prng() % 4 == 0 ? sequence : values[prng() % std::size(values)];
        const bool was_there = find(*spot.in, tag) != spot.in->elements.end();
        ASSERT_EQ(edited.contains(at(tag)), was_there);
        ASSERT_EQ(edited.remove(at(tag)), was_there);
        std::erase_if(spot.in->elements, [&](const DicomElement& e) { return e.tag == tag; });
        break;
      }
      case 3:
      case 4: {
        if (spot.item && spot.item->steps().size() > 3) break;  // wide, not deep
        const auto number = static_cast<std::uint32_t>(1 + prng() % (count + 1));
        ASSERT_TRUE(edited.insert_item(at(sequence).item(number)).has_value());
        if (count == 0) put(*spot.in, {.tag = sequence, .vr = vr::sq});
        auto& items = find(*spot.in, sequence)->items;
        items.insert(items.begin() + (number - 1), DicomDataSet{});
        break;
      }
      default: {
        const auto number = static_cast<std::uint32_t>(1 + prng() % (count + 1));
        ASSERT_EQ(edited.remove(at(sequence).item(number)), number <= count);
        if (number > count) break;
        auto& items = find(*spot.in, sequence)->items;
        items.erase(items.begin() + (number - 1));
      }
    }
  }
};

TEST(EditableDataSet, keeps_up_with_a_plain_model_under_random_edits) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  for (int round = 0; round < test::draws(30); ++round) {
    Twin twin;
    if (round % 2 == 1) twin.model = test::random_data_set(prng, 1);
    make_plain(twin.model, test::Lengths::defined);
    const Bytes start = twin.model.encode(Syntax::explicit_le);
    const auto read = parse_data_set(start, written_encoding(Syntax::explicit_le));
    twin.edited = EditableDataSet(*read);
    for (int edit = 0; edit < 60; ++edit) {
      twin.edit(prng);
      if (HasFatalFailure()) return;
    }
    const auto encoded = twin.edited.encode({});
    ASSERT_TRUE(encoded.has_value());
    ASSERT_EQ(to_hex(encoded->joined()), to_hex(twin.model.encode(Syntax::explicit_le)));
  }
}

TEST(EditableDataSet, makes_what_a_path_needs) {
  EditableDataSet d;
  ASSERT_TRUE(d.set_text(at_path("(0040,0275)[1].(0040,0008)[1].(0008,0104)"), vr::lo, "odd"));
  ASSERT_TRUE(d.set_text(at_path("(0040,0275)[2].(0040,0007)"), vr::lo, "even"));
  ASSERT_TRUE(d.set_text(at_path("(0029,\"ACME\",10)"), vr::cs, "YES"));
  ASSERT_TRUE(d.set_text(at_path("(0029,\"OTHER\",10)"), vr::cs, "NO"));
  ASSERT_TRUE(d.set_text(at_path("(0029,\"ACME\",11)"), vr::ui, "1.2"));
  EXPECT_EQ(d.count_items(at_path("(0040,0275)")), 2U);
  EXPECT_TRUE(d.contains(at_path("(0040,0275)[1].(0040,0008)[1]")));
  EXPECT_FALSE(d.contains(at_path("(0040,0275)[3]")));
  const Bytes bytes = d.encode({}).value().joined();
  const auto read = parse_data_set(bytes, {});
  const Attributes top(*read);
  EXPECT_EQ(top.find(at_path("(0040,0275)[1].(0040,0008)[1].(0008,0104)"))->text(), "odd");
  EXPECT_EQ(top.find(at_path("(0029,\"OTHER\",10)"))->text(), "NO");
  EXPECT_EQ(top.find({0x0029, 0x1010})->text(), "YES");
  EXPECT_EQ(top.find({0x0029, 0x1110})->text(), "NO");
  EXPECT_EQ(as_text(top.find({0x0029, 0x1011})->element().value), std::string_view("1.2\0", 4));
  EXPECT_EQ(
      as_text(top.find(at_path("(0040,0275)[1].(0040,0008)[1].(0008,0104)"))->element().value),
      "odd ");
}

TEST(EditableDataSet, refuses_what_cannot_stand_in_a_file_and_leaves_all_as_it_was) {
  EditableDataSet d;
  ASSERT_TRUE(d.set_text(at_path("PatientID"), vr::lo, "1234"));
  ASSERT_TRUE(d.set_sequence(at_path("(0040,0275)")));
  const std::string before = to_hex(d.encode({})->joined());
  const auto code = [](const Status& status) { return status ? "" : code_word(status.error()); };
  EXPECT_EQ(code(d.set(at_path("PatientID"), vr::sq, {})), "unsupported.edit");
  EXPECT_EQ(code(d.set(at_path("PatientID"), Vr{'X', 'X'}, {})), "unsupported.edit");
  EXPECT_EQ(code(d.set(at_path("Rows"), vr::us, Bytes(3))), "unsupported.edit");
  EXPECT_EQ(code(d.set(at_path("(0020,9165)"), vr::at, Bytes(2))), "unsupported.edit");
  EXPECT_EQ(code(d.set_text(at_path("Rows"), vr::us, "12")), "unsupported.edit");
  for (const char* tag : {"(0000,0002)", "(0002,0010)", "(0006,0001)", "(0008,0000)", "(0008,0001)",
                          "(FFFE,E000)", "(0040,0275)[1].(0002,0010)"})
    EXPECT_EQ(code(d.set(at_path(tag), vr::ob, Bytes(2))), "unsupported.edit") << tag;
  EXPECT_EQ(code(d.set(at_path("(0040,0275)[1]"), vr::ob, Bytes(2))), "usage.invalid");
  EXPECT_EQ(code(d.set(at_path("(0040,0275)[2].(0010,0020)"), vr::lo, {})), "usage.invalid");
  EXPECT_EQ(code(d.set(at_path("(0040,0276)[1].(0040,0275)[2].(0010,0020)"), vr::lo, {})),
            "usage.invalid");
  EXPECT_EQ(code(d.set(at_path("PatientID[1].(0010,0020)"), vr::lo, {})), "usage.invalid");
  EXPECT_EQ(code(d.set(at_path("(0029,\"ACME\")"), vr::lo, {})), "usage.invalid");
  EXPECT_EQ(code(d.insert_item(at_path("(0040,0275)"))), "usage.invalid");
  EXPECT_EQ(code(d.insert_item(at_path("(0040,0275)[2]"))), "usage.invalid");
  EXPECT_EQ(code(d.insert_item(at_path("PatientID[1]"))), "usage.invalid");
  EXPECT_EQ(code(d.set_fragments(at_path("PatientID"), {}, {})), "unsupported.edit");
  EXPECT_EQ(code(d.set_fragments(at_path("PixelData"), as_bytes("abc"), {})), "unsupported.edit");
  EXPECT_FALSE(d.remove(at_path("(0040,0275)[1]")));
  EXPECT_FALSE(d.remove(at_path("StudyDate")));
  EXPECT_EQ(to_hex(d.encode({})->joined()), before);
}

TEST(EditableDataSet, takes_all_duplicates_away) {
  DicomDataSet model;
  model.us({0x0028, 0x0010}, 1).us({0x0028, 0x0010}, 2).us({0x0028, 0x0011}, 3);
  const Bytes bytes = model.encode(Syntax::explicit_le);
  const auto read = parse_data_set(bytes, {});
  EditableDataSet d(*read);
  ASSERT_TRUE(d.set(at_path("Rows"), vr::us, test::bytes("0700")));
  DicomDataSet expected;
  expected.us({0x0028, 0x0010}, 7).us({0x0028, 0x0011}, 3);
  EXPECT_EQ(to_hex(d.encode({})->joined()), to_hex(expected.encode(Syntax::explicit_le)));
  EXPECT_TRUE(d.remove(at_path("Rows")));
  EXPECT_TRUE(d.remove(at_path("Columns")));
  EXPECT_EQ(d.encode({})->size(), 0U);
  ASSERT_TRUE(d.set(at_path("Rows"), vr::us, test::bytes("0700")))
      << "also into an emptied data set";
  EXPECT_EQ(d.encode({})->size(), 10U);
}

TEST(EditableDataSet, does_not_copy_large_values) {
  const Bytes pixels(10'000'000, std::byte{7});
  EditableDataSet d;
  ASSERT_TRUE(d.set_text(at_path("PatientID"), vr::lo, "1234"));
  ASSERT_TRUE(d.set_borrowed(at_path("PixelData"), vr::ow, pixels));
  const auto encoded = d.encode({});
  ASSERT_TRUE(encoded.has_value());
  const auto parts = encoded->parts();
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(parts[1].data(), pixels.data());
  EXPECT_EQ(parts[1].size(), pixels.size());
  const Bytes big_endian =
      d.encode({.encoding = {.explicit_vr = true, .big_endian = true}})->joined();
  EXPECT_TRUE(same_bytes(ByteView{big_endian}.last(pixels.size()), pixels))
      << "equal bytes, swapped";
}

TEST(EditableDataSet, writes_values_too_long_for_their_vr_as_un) {
  EditableDataSet d;
  ASSERT_TRUE(d.set(at_path("(0011,\"ACME\",01)"), vr::us, Bytes(0x10000, std::byte{1})));
  ASSERT_TRUE(d.set(at_path("(0011,\"ACME\",02)"), vr::us, test::bytes("0102")));
  for (const bool big_endian : {false, true}) {
    const Bytes bytes =
        d.encode({.encoding = {.explicit_vr = true, .big_endian = big_endian}})->joined();
    const auto read = parse_data_set(bytes, {.explicit_vr = true, .big_endian = big_endian});
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->find({0x0011, 0x1001})->file_vr, vr::un);
    EXPECT_EQ(read->find({0x0011, 0x1001})->value.size(), 0x10000U);
    EXPECT_EQ(Attributes(*read).find({0x0011, 0x1002})->integer(), 0x0201);
  }
}

TEST(EditableDataSet, leaves_lengths_out_that_would_be_wrong) {
  DicomDataSet model;
  model.ul({0x0008, 0x0000}, 10).ul({0x0008, 0x0001}, 99).text({0x0008, 0x0060}, "CS", "CT");
  const Bytes bytes = model.encode(Syntax::explicit_le);
  const auto read = parse_data_set(bytes, {});
  DicomDataSet expected;
  expected.text({0x0008, 0x0060}, "CS", "CT");
  EXPECT_EQ(to_hex(EditableDataSet(*read).encode({})->joined()),
            to_hex(expected.encode(Syntax::explicit_le)));
}

const TransferSyntax& transfer_syntax_of(std::string_view uid) {
  return *find_transfer_syntax(uid);
}

TEST(EncodeFile, has_meta_information_that_fits) {
  EditableDataSet d;
  ASSERT_TRUE(d.set_text(at_path("SOPClassUID"), vr::ui, "1.2.840.10008.5.1.4.1.1.7"));
  ASSERT_TRUE(d.set_text(at_path("SOPInstanceUID"), vr::ui, "2.25.77"));
  ASSERT_TRUE(d.set(at_path("Rows"), vr::us, test::bytes("0100")));
  for (const std::string_view uid :
       {uids::implicit_vr_little_endian, uids::explicit_vr_little_endian,
        uids::explicit_vr_big_endian, uids::deflated_explicit_vr_little_endian}) {
    const auto encoded = encode_file(d, transfer_syntax_of(uid));
    ASSERT_TRUE(encoded.has_value()) << to_sentence(encoded.error());
    const auto file = File::read(encoded->joined());
    ASSERT_TRUE(file.has_value()) << to_sentence(file.error());
    EXPECT_TRUE(file->notes().empty()) << file->notes().front().text;
    EXPECT_TRUE(file->has_preamble());
    EXPECT_EQ(file->transfer_syntax().uid, uid);
    EXPECT_EQ(file->data_set().find_us({0x0028, 0x0010}), 1);
    const Attributes meta(file->meta());
    EXPECT_EQ(meta.find({0x0002, 0x0002})->uid(), "1.2.840.10008.5.1.4.1.1.7");
    EXPECT_EQ(meta.find({0x0002, 0x0003})->uid(), "2.25.77");
    EXPECT_TRUE(meta.find({0x0002, 0x0012})->uid().has_value());
    EXPECT_EQ(meta.find({0x0002, 0x0013})->text(), "FIDUCIA");
    EXPECT_EQ(meta.find({0x0002, 0x0000})->integer(),
              static_cast<std::int64_t>(file->data_set_offset() - 128 - 4 - 12));
  }
}

TEST(EncodeFile, keeps_what_else_the_meta_information_said) {
  DicomDataSet model;
  model.text({0x0008, 0x0018}, "UI", "2.25.1").text({0x0008, 0x0060}, "CS", "CT");
  EditableDataSet first;
  ASSERT_TRUE(first.set_text(at_path("Modality"), vr::cs, "CT"));
  DicomDataSet meta;
  meta.text({0x0002, 0x0012}, "UI", "1.2.3").text({0x0002, 0x0016}, "AE", "SCANNER");
  meta.bytes({0x0002, 0x0102}, "OB", test::bytes("0102"));
  const Bytes meta_bytes = meta.encode(Syntax::explicit_le);
  const auto read = parse_data_set(meta_bytes, {});
  const auto encoded =
      encode_file(first, transfer_syntax_of(uids::explicit_vr_little_endian), &*read).value();
  const auto file = File::read(encoded.joined());
  EXPECT_TRUE(file->notes().empty());
  const Attributes written(file->meta());
  EXPECT_EQ(written.find({0x0002, 0x0016})->text(), "SCANNER");
  EXPECT_EQ(written.find({0x0002, 0x0102})->element().value.size(), 2U);
  EXPECT_NE(written.find({0x0002, 0x0012})->uid(), "1.2.3");
  EXPECT_FALSE(written.find({0x0002, 0x0003})) << "the data set has none";
}

TEST(EncodeFile, writes_fragments_where_the_transfer_syntax_has_them) {
  const Bytes first = test::bytes("ffd8ffd9");
  const Bytes odd = test::bytes("ffd8ff");
  const Bytes table = test::bytes("0000000010000000");
  const ByteView fragments[] = {first, odd};
  EditableDataSet d;
  ASSERT_TRUE(d.set_text(at_path("SOPInstanceUID"), vr::ui, "2.25.77"));
  ASSERT_TRUE(d.set_fragments(at_path("PixelData"), table, fragments));
  const auto encoded = encode_file(d, transfer_syntax_of("1.2.840.10008.1.2.4.50"));
  ASSERT_TRUE(encoded.has_value()) << to_sentence(encoded.error());
  const auto file = File::read(encoded->joined());
  ASSERT_TRUE(file.has_value());
  EXPECT_TRUE(file->notes().empty());
  ASSERT_EQ(file->data_set().fragments().size(), 2U);
  EXPECT_TRUE(same_bytes(file->data_set().fragments()[0], first));
  EXPECT_TRUE(same_bytes(file->data_set().fragments()[1], test::bytes("ffd8ff00")));
  EXPECT_TRUE(same_bytes(file->data_set().basic_offset_table(), table));
  // What was read is written again, byte for byte.
  const EditableDataSet copy(file->data_set());
  EXPECT_EQ(encode_file(copy, file->transfer_syntax())->joined(), encoded->joined());
  const auto code = [&](const EditableDataSet& of, std::string_view uid) {
    const auto result = encode_file(of, transfer_syntax_of(uid));
    return result ? "" : code_word(result.error());
  };
  for (const std::string_view uid : {uids::implicit_vr_little_endian,
                                     uids::explicit_vr_little_endian, uids::explicit_vr_big_endian})
    EXPECT_EQ(code(copy, uid), "unsupported.edit");
  EXPECT_FALSE(copy.encode({.encoding = {.explicit_vr = false, .big_endian = false}}));
  EditableDataSet native;
  ASSERT_TRUE(native.set(at_path("PixelData"), vr::ow, Bytes(4)));
  EXPECT_EQ(code(native, "1.2.840.10008.1.2.4.50"), "unsupported.edit");
  EXPECT_EQ(code(native, uids::explicit_vr_little_endian), "");
}

}  // namespace
}  // namespace fiducia::dicom
