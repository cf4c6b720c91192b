// SPDX-License-Identifier: Apache-2.0
#include "support/dicom_builder.h"

#include <zlib.h>

#include <algorithm>
#include <map>

#include "support/support.h"

namespace fiducia::test {
namespace {

constexpr std::uint32_t undefined = 0xFFFFFFFF;

void put_u16(Bytes& out, std::uint16_t value, bool big_endian) {
  big_endian ? append_be(out, value) : append_le(out, value);
}
void put_u32(Bytes& out, std::uint32_t value, bool big_endian) {
  big_endian ? append_be(out, value) : append_le(out, value);
}
void put_tag(Bytes& out, dicom::Tag tag, bool big_endian) {
  put_u16(out, tag.group, big_endian);
  put_u16(out, tag.element, big_endian);
}
/// Items and delimiters have no VR in any syntax (PS3.5 section 7.5).
void put_item_header(Bytes& out, dicom::Tag tag, std::uint32_t length, bool big_endian) {
  put_tag(out, tag, big_endian);
  put_u32(out, length, big_endian);
}

/// Written out from PS3.5 tables 7.1-1 and 6.2-1, on purpose not taken from the code under test.
bool is_long_form(const std::string& vr) {
  static const std::vector<std::string> long_form{
      "OB", "OD", "OF", "OL", "OV", "OW", "SQ",
      "SV", "UC", "UN", "UR", "UT", "UV", "QQ"};  // no VR: as one of a later edition
  return std::find(long_form.begin(), long_form.end(), vr) != long_form.end();
}
std::size_t unit_of(const std::string& vr) {
  static const std::map<std::string, std::size_t> units{
      {"AT", 2}, {"OW", 2}, {"SS", 2}, {"US", 2}, {"FL", 4}, {"OF", 4}, {"OL", 4},
      {"SL", 4}, {"UL", 4}, {"FD", 8}, {"OD", 8}, {"OV", 8}, {"SV", 8}, {"UV", 8}};
  const auto found = units.find(vr);
  return found == units.end() ? 1 : found->second;
}

Bytes swapped(const Bytes& value, std::size_t unit) {
  Bytes out = value;
  for (std::size_t at = 0; at + unit <= out.size(); at += unit)
    std::reverse(out.begin() + static_cast<std::ptrdiff_t>(at),
                 out.begin() + static_cast<std::ptrdiff_t>(at + unit));
  return out;
}

bool undefined_sequence(Lengths lengths) {
  return lengths == Lengths::undefined || lengths == Lengths::undefined_sequence;
}
bool undefined_items(Lengths lengths) {
  return lengths == Lengths::undefined || lengths == Lengths::undefined_items;
}

Bytes encode_items(const DicomElement& element, Syntax syntax) {
  const bool big = syntax == Syntax::explicit_be;
  Bytes out;
  for (const DicomDataSet& item : element.items) {
    const Bytes inner = item.encode(syntax);
    const bool open = undefined_items(element.lengths);
    put_item_header(out, dicom::tags::item, open ? undefined : narrow<std::uint32_t>(inner.size()),
                    big);
    append(out, inner);
    if (open) put_item_header(out, dicom::tags::item_delimitation, 0, big);
  }
  return out;
}

Bytes encode_fragments(const DicomElement& element, bool big) {
  Bytes out;
  put_item_header(out, dicom::tags::item, narrow<std::uint32_t>(element.basic_offset_table.size()),
                  big);
  append(out, element.basic_offset_table);
  for (const Bytes& fragment : element.fragments) {
    put_item_header(out, dicom::tags::item, narrow<std::uint32_t>(fragment.size()), big);
    append(out, fragment);
  }
  return out;
}

void put_element(Bytes& out, const DicomElement& element, Syntax syntax) {
  const bool big = syntax == Syntax::explicit_be;
  const bool as_un = element.as_un && syntax != Syntax::implicit_le;
  const std::string vr = as_un ? "UN" : element.vr.text();
  const bool sequence = element.vr == dicom::vr::sq;
  const Syntax inner = as_un ? Syntax::implicit_le : syntax;
  const bool inner_big = inner == Syntax::explicit_be;
  const bool open = element.is_encapsulated || (sequence && undefined_sequence(element.lengths));
  Bytes value = element.is_encapsulated ? encode_fragments(element, inner_big)
                : sequence              ? encode_items(element, inner)
                : inner_big             ? swapped(element.value, unit_of(element.vr.text()))
                                        : element.value;
  const std::uint32_t length =
      element.false_length.value_or(open ? undefined : narrow<std::uint32_t>(value.size()));
  put_tag(out, element.tag, big);
  if (syntax == Syntax::implicit_le) {
    put_u32(out, length, false);
  } else {
    append(out, as_bytes(vr));
    if (is_long_form(vr)) {
      put_u16(out, 0, big);
      put_u32(out, length, big);
    } else {
      put_u16(out, static_cast<std::uint16_t>(length), big);
    }
  }
  append(out, value);
  if (open) put_item_header(out, dicom::tags::sequence_delimitation, 0, inner_big);
}

dicom::Vr vr_of(std::string_view letters) {
  FIDUCIA_ASSERT(letters.size() == 2);
  return {letters[0], letters[1]};
}

}  // namespace

DicomDataSet& DicomDataSet::add(DicomElement element) {
  elements.push_back(std::move(element));
  return *this;
}

DicomDataSet& DicomDataSet::text(dicom::Tag tag, std::string_view vr, std::string_view value) {
  Bytes padded;
  append(padded, as_bytes(value));
  if (padded.size() % 2 != 0) padded.push_back(vr == "UI" ? std::byte{0} : std::byte{' '});
  return bytes(tag, vr, std::move(padded));
}

DicomDataSet& DicomDataSet::bytes(dicom::Tag tag, std::string_view vr, Bytes value) {
  return add({.tag = tag, .vr = vr_of(vr), .value = std::move(value)});
}

DicomDataSet& DicomDataSet::us(dicom::Tag tag, std::uint16_t value) {
  Bytes raw;
  append_le(raw, value);
  return bytes(tag, "US", std::move(raw));
}

DicomDataSet& DicomDataSet::ul(dicom::Tag tag, std::uint32_t value) {
  Bytes raw;
  append_le(raw, value);
  return bytes(tag, "UL", std::move(raw));
}

DicomDataSet& DicomDataSet::private_creator(std::uint16_t group, std::uint8_t block,
                                            std::string_view creator) {
  return text({group, block}, "LO", creator);
}

DicomDataSet& DicomDataSet::sequence(dicom::Tag tag, std::vector<DicomDataSet> items,
                                     Lengths lengths) {
  return add({.tag = tag, .vr = dicom::vr::sq, .items = std::move(items), .lengths = lengths});
}

DicomDataSet& DicomDataSet::encapsulated(std::vector<Bytes> fragments, Bytes basic_offset_table) {
  return add({.tag = dicom::tags::pixel_data,
              .vr = dicom::vr::ob,
              .is_encapsulated = true,
              .basic_offset_table = std::move(basic_offset_table),
              .fragments = std::move(fragments)});
}

DicomDataSet& DicomDataSet::sort() {
  std::stable_sort(elements.begin(), elements.end(),
                   [](const DicomElement& a, const DicomElement& b) { return a.tag < b.tag; });
  return *this;
}

Bytes DicomDataSet::encode(Syntax syntax) const {
  Bytes out;
  for (const DicomElement& element : elements) put_element(out, element, syntax);
  return out;
}

Bytes DicomDataSet::file(std::string_view uid) const {
  if (uid == "1.2.840.10008.1.2") return part10(uid, encode(Syntax::implicit_le));
  if (uid == "1.2.840.10008.1.2.2") return part10(uid, encode(Syntax::explicit_be));
  if (uid != "1.2.840.10008.1.2.1.99") return part10(uid, encode(Syntax::explicit_le));
  Bytes deflated = raw_deflate(encode(Syntax::explicit_le));
  if (deflated.size() % 2 != 0) deflated.push_back(std::byte{0});
  return part10(uid, deflated);
}

Bytes part10(std::string_view transfer_syntax_uid, ByteView data_set, ByteView preamble,
             std::optional<std::uint32_t> false_group_length) {
  DicomDataSet meta;
  meta.bytes({0x0002, 0x0001}, "OB", test::bytes("0001"))
      .text({0x0002, 0x0002}, "UI", "1.2.840.10008.5.1.4.1.1.7")
      .text({0x0002, 0x0003}, "UI", "2.25.1");
  if (!transfer_syntax_uid.empty()) meta.text({0x0002, 0x0010}, "UI", transfer_syntax_uid);
  meta.text({0x0002, 0x0012}, "UI", "2.25.2");
  const Bytes rest = meta.encode(Syntax::explicit_le);
  DicomDataSet group_length;
  group_length.ul({0x0002, 0x0000},
                  false_group_length.value_or(narrow<std::uint32_t>(rest.size())));
  Bytes out(preamble.begin(), preamble.end());
  out.resize(128);
  append(out, as_bytes("DICM"));
  append(out, group_length.encode(Syntax::explicit_le));
  append(out, rest);
  append(out, data_set);
  return out;
}

Bytes raw_deflate(ByteView bytes) {
  z_stream stream{};
  FIDUCIA_ASSERT(deflateInit2(&stream, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  Bytes out(deflateBound(&stream, bytes.size()) + 16);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
  stream.avail_in = narrow<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = narrow<uInt>(out.size());
  FIDUCIA_ASSERT(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

namespace {

struct KnownTag {
  dicom::Tag tag;
  std::string_view vr;
};
/// Standard attributes with one VR each, so that implicit VR has one reading.
constexpr KnownTag known_tags[] = {
    {{0x0008, 0x0018}, "UI"}, {{0x0008, 0x0020}, "DA"}, {{0x0008, 0x002A}, "DT"},
    {{0x0008, 0x0030}, "TM"}, {{0x0008, 0x0054}, "AE"}, {{0x0008, 0x0060}, "CS"},
    {{0x0008, 0x0119}, "UC"}, {{0x0008, 0x0120}, "UR"}, {{0x0010, 0x0010}, "PN"},
    {{0x0010, 0x1010}, "AS"}, {{0x0010, 0x21B0}, "LT"}, {{0x0010, 0x4000}, "LT"},
    {{0x0018, 0x1050}, "DS"}, {{0x0018, 0x6060}, "FL"}, {{0x0018, 0x9073}, "FD"},
    {{0x0020, 0x0010}, "SH"}, {{0x0020, 0x0013}, "IS"}, {{0x0020, 0x9165}, "AT"},
    {{0x0028, 0x0010}, "US"}, {{0x0040, 0x0280}, "ST"}, {{0x0040, 0xA160}, "UT"},
    {{0x0066, 0x0016}, "OF"}, {{0x0066, 0x0040}, "OL"}, {{0x0018, 0x6018}, "UL"},
    {{0x7FE0, 0x0001}, "OV"}, {{0x7FE0, 0x0009}, "OD"}};
constexpr dicom::Tag known_sequences[] = {
    {0x0008, 0x1115}, {0x0008, 0x1140}, {0x0040, 0x0275}, {0x0040, 0xA730}, {0x5200, 0x9230}};

}  // namespace

DicomDataSet random_data_set(std::mt19937_64& prng, unsigned depth) {
  DicomDataSet out;
  for (const KnownTag& known : known_tags) {
    if (prng() % 3 != 0) continue;
    const std::size_t unit = unit_of(std::string(known.vr));
    const std::size_t count = prng() % 8 == 0 ? 0 : 1 + prng() % 5;
    Bytes value = random_bytes(prng, unit * count);
    if (value.size() % 2 != 0) value.push_back(std::byte{' '});
    out.bytes(known.tag, known.vr, std::move(value));
    if (prng() % 16 == 0) out.elements.back().as_un = true;
  }
  for (const dicom::Tag tag : known_sequences) {
    if (depth == 0 || prng() % 3 != 0) continue;
    std::vector<DicomDataSet> items;
    for (std::size_t i = prng() % 4; i > 0; --i) items.push_back(random_data_set(prng, depth - 1));
    out.sequence(tag, std::move(items), static_cast<Lengths>(prng() % 4));
    if (prng() % 8 == 0) out.elements.back().as_un = true;
  }
  for (std::uint16_t group : {std::uint16_t{0x0009}, std::uint16_t{0x0029}}) {
    if (prng() % 2 != 0) continue;
    const auto block = static_cast<std::uint8_t>(0x10 + prng() % 3);
    out.private_creator(group, block, "ACME " + std::to_string(prng() % 3));
    const auto first = static_cast<std::uint16_t>(block << 8U);
    for (std::uint16_t low = 1; low < 6; ++low) {
      const dicom::Tag tag{group, static_cast<std::uint16_t>(first + low)};
      switch (prng() % 5) {
        case 0:
          out.bytes(tag, "OB", random_bytes(prng, 2 * (prng() % 20)));
          break;
        case 1:
          out.bytes(tag, "UN", random_bytes(prng, 2 * (prng() % 20)));
          break;
        case 2:
          out.us(tag, static_cast<std::uint16_t>(prng()));
          break;
        case 3:
          if (depth == 0) break;
          {
            // One item at least: a private sequence without items leaves nothing to know it by.
            std::vector<DicomDataSet> items;
            for (std::size_t i = 1 + prng() % 2; i > 0; --i)
              items.push_back(random_data_set(prng, depth - 1));
            out.sequence(tag, std::move(items), static_cast<Lengths>(prng() % 4));
            out.elements.back().as_un = prng() % 2 == 0;
          }
          break;
        default:
          break;
      }
    }
  }
  return out.sort();
}

}  // namespace fiducia::test
