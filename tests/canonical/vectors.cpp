// SPDX-License-Identifier: Apache-2.0
#include "vectors.h"

#include <algorithm>

#include "canonical/header.h"
#include "canonical/pixels.h"
#include "canonical/samples.h"
#include "canonical/value.h"
#include "codec/codec.h"
#include "crypto/crypto.h"
#include "evidence/statement.h"
#include "finding/finding.h"
#include "merkle/merkle.h"
#include "support/dicom_builder.h"
#include "support/support.h"

namespace fiducia::test {
namespace {

using canonical::Salt;

canonical::Seed fixed_seed() {
  canonical::Seed seed;
  for (std::size_t i = 0; i < seed.size(); ++i) seed[i] = static_cast<std::byte>(i);
  return seed;
}

std::string hex(ByteView bytes) { return to_hex(bytes); }
std::string hex(const Digest& digest) { return to_hex(digest.view()); }
std::string hex(const Salt& salt) { return to_hex(ByteView{salt}); }

template <class T>
void put(Bytes& out, T value) {
  append_be(out, value);
}

/// 00 || tag || salt (spec/seal.md 3).
Bytes half_block(std::string_view tag, const Salt& salt) {
  Bytes out{std::byte{0}};
  append(out, as_bytes(tag));
  out.push_back(std::byte{0});
  append(out, ByteView{salt});
  FIDUCIA_ASSERT(out.size() == 32);
  return out;
}

/// spec/seal.md 5.2.
Bytes attribute_preimage(const Salt& salt, ByteView path, dicom::Vr vr,
                         const canonical::CanonicalValue& value) {
  Bytes out = half_block("fiducia/attr/1", salt);
  put(out, static_cast<std::uint32_t>(path.size()));
  append(out, path);
  append(out, as_bytes(vr.text()));
  out.push_back(static_cast<std::byte>(value.kind));
  put(out, static_cast<std::uint64_t>(value.bytes.size()));
  append(out, value.bytes);
  return out;
}

Json salts_vector() {
  const canonical::Salts salts(fixed_seed());
  Json out;
  out["origin"] = "computed; CC0";
  out["seed"] = hex(ByteView{fixed_seed()});
  for (const std::uint64_t i : {0U, 1U, 2U, 1000U})
    out["header"].push_back({{"index", i}, {"salt", hex(salts.header_one(i))}});
  const std::pair<canonical::FrameSaltUse, const char*> uses[] = {
      {canonical::FrameSaltUse::tile, "tile"},
      {canonical::FrameSaltUse::outside_bits, "bits"},
      {canonical::FrameSaltUse::encoded_frame, "code"}};
  for (const auto& [use, name] : uses)
    for (const std::uint64_t frame : {0U, 1U, 299U})
      for (const std::uint64_t index : {0U, 1U, 64U}) {
        if (use == canonical::FrameSaltUse::encoded_frame && index != 0) continue;
        out["frame"].push_back({{"use", name},
                                {"frame", frame},
                                {"index", index},
                                {"salt", hex(salts.frame_one(frame, use, index))}});
      }
  out["tail"] = hex(salts.tail());
  return out;
}

struct ValueCase {
  const char* name;
  const char* vr;
  const char* character_set;
  const char* bytes;
};
constexpr ValueCase value_cases[] = {
    {"text, one pad space off", "PN", "", "446F655E4A6F686E20"},
    {"text, spaces around each value off", "CS", "", "204F524947494E414C205C205052494D41525920"},
    {"DA keeps leading spaces", "DA", "", "203230323431323331"},
    {"PN keeps leading spaces", "PN", "", "2020446F65202020"},
    {"PN, empty components behind the last off", "PN", "", "446F655E4A6F686E5E5E5E20"},
    {"PN, empty components of each group and value off", "PN", "",
     "446F655E3D3D5C3D585E5E5C5E5E3D"},
    {"PN of nothing but delimiters is empty", "PN", "", "5E5E5E5E3D3D"},
    {"UI, NUL off", "UI", "", "312E3200"},
    {"UT: backslash is text, leading spaces stay", "UT", "", "2020615C622020"},
    {"nothing but padding is empty", "LO", "", "2020"},
    {"zero length", "OB", "", ""},
    {"two empty values", "LO", "", "205C2020"},
    {"ISO_IR 100", "LO", "ISO_IR 100", "4DFC6C6C6572"},
    {"the same in UTF-8", "LO", "ISO_IR 192", "4DC3BC6C6C657220"},
    {"no character set: raw", "LO", "", "4DFC6C6C6572"},
    {"damaged UTF-8: raw", "LO", "ISO_IR 192", "4DFC6C6C657220"},
    {"a misspelled term is unknown: raw", "LO", "ISO IR 192", "4DC3BC6C6C657220"},
    {"PN that does not decode keeps all but its padding", "PN", "", "4DFC6C6C65725E5E"},
    {"CS is ASCII: raw", "CS", "ISO_IR 192", "4DC3BC20"},
    {"PN by ISO 2022 IR 87", "PN", "\\ISO 2022 IR 87",
     "59616D6164615E5461726F753D1B24423B3345441B28425E1B24424240"
     "4F3A1B2842"},
    {"LT by ISO_IR 13: 5C is a yen", "LT", "ISO_IR 13", "5C7EB1"},
    {"LO by ISO_IR 13: 5C separates", "LO", "ISO_IR 13", "B15CB2"},
    {"GB18030", "LO", "GB18030", "CDF5"},
    {"DS", "DS", "", "312E3530"},
    {"DS with sign and spaces", "DS", "", "202B313030205C2D302E305C"},
    {"DS with exponent", "DS", "", "2D312E3235652B30332020"},
    {"DS, small", "DS", "", "2E30303530"},
    {"IS with leading zeros", "IS", "", "30303132"},
    {"DS that is no number", "DS", "", "312E355C4E614E20"},
    {"DS of 16 bytes and its pad bytes", "DS", "", "2D3030303030303030303030313032342020"},
    {"DS of 17 bytes is text", "DS", "", "2D3030303030303030303030303130323420"},
    {"DS, one value of several too long: all are text", "DS", "",
     "312E35305C2D30303030303030303030303031303234"},
    {"DS, exponent that a double holds", "DS", "", "312E3530452D32383020"},
    {"DS, exponent that no double holds: text", "DS", "", "304532383120"},
    {"IS, least", "IS", "", "2D3231343734383336343820"},
    {"IS, greatest", "IS", "", "2B3032313437343833363437"},
    {"IS beyond 32 bits is text", "IS", "", "32313437343833363438"},
    {"IS of 13 bytes is text", "IS", "", "3030303030303030303030303520"},
    {"IS with exponent is text", "IS", "", "3530452D3120"},
    {"IS with point is text", "IS", "", "352E3020"},
    {"IS with two signs is text", "IS", "", "2B2D3520"},
    {"US is bytes", "US", "", "0002"},
    {"OB keeps its pad byte", "OB", "", "01020300"},
    {"UN is bytes, spaces too", "UN", "", "312E3530"},
};

Json values_vector() {
  Json out;
  out["origin"] = "computed; CC0";
  for (const ValueCase& c : value_cases) {
    const Bytes raw = bytes(c.bytes);
    const dicom::Vr vr{c.vr[0], c.vr[1]};
    const dicom::CharacterSet set =
        *c.character_set == '\0' ? dicom::CharacterSet() : dicom::CharacterSet(c.character_set);
    std::string scratch;
    const canonical::CanonicalValue value =
        canonical::canonical_value(vr, raw, {.set = set, .term = c.character_set}, scratch);
    out["cases"].push_back({{"name", c.name},
                            {"vr", c.vr},
                            {"specific_character_set", c.character_set},
                            {"bytes", hex(ByteView{raw})},
                            {"kind", static_cast<int>(value.kind)},
                            {"value", hex(value.bytes)}});
  }
  return out;
}

DicomDataSet tiny_item(std::string_view meaning) {
  DicomDataSet item;
  item.text({0x0008, 0x0104}, "LO", meaning);
  return item;
}

struct HeaderCase {
  const char* name;
  Bytes data_set;
  dicom::Encoding encoding;
};

std::vector<HeaderCase> header_cases() {
  std::vector<HeaderCase> cases;
  const dicom::Encoding explicit_le{.explicit_vr = true, .big_endian = false};
  {
    DicomDataSet d;
    d.text({0x0008, 0x0005}, "CS", "ISO_IR 100")
        .text({0x0008, 0x0016}, "UI", "1.2.3")
        .bytes({0x0010, 0x0010}, "PN", bytes("4DFC6C6C65725E4B"))
        .text({0x0010, 0x0030}, "DA", "")
        .text({0x0018, 0x0050}, "DS", "1.50")
        .sequence({0x0040, 0x0275}, {tiny_item("first"), tiny_item("second")})
        .sequence({0x0040, 0x0555}, {});
    cases.push_back(
        {"standard attributes, items, empty values", d.encode(Syntax::explicit_le), explicit_le});
    cases.push_back({"the same in big endian",
                     d.encode(Syntax::explicit_be),
                     {.explicit_vr = true, .big_endian = true}});
    cases.push_back({"the same in implicit VR",
                     d.encode(Syntax::implicit_le),
                     {.explicit_vr = false, .big_endian = false}});
  }
  {
    DicomDataSet inner;
    inner.private_creator(0x0029, 0x20, "INNER").bytes({0x0029, 0x2001}, "OB", bytes("0102"));
    DicomDataSet d;
    d.private_creator(0x0029, 0x10, "ACME")
        .text({0x0029, 0x1001}, "DS", "1.50")
        .sequence({0x0029, 0x1002}, {inner}, Lengths::undefined);
    cases.push_back({"private elements, in items too", d.encode(Syntax::explicit_le), explicit_le});
    DicomDataSet moved;
    moved.private_creator(0x0029, 0x11, "OTHER").private_creator(0x0029, 0x12, "ACME ");
    moved.text({0x0029, 0x1201}, "DS", "1.50").sequence({0x0029, 0x1202}, {inner});
    cases.push_back({"the block moved, behind another creator", moved.encode(Syntax::explicit_le),
                     explicit_le});
    cases.push_back({"private elements that lost their VR: UN, a sequence by structure",
                     d.encode(Syntax::implicit_le),
                     {.explicit_vr = false, .big_endian = false}});
  }
  {
    DicomDataSet d;
    d.text({0x0029, 0x0005}, "LO", "low")
        .private_creator(0x0029, 0x10, "TWICE")
        .private_creator(0x0029, 0x11, "TWICE")
        .text({0x0029, 0x1001}, "LO", "a")
        .text({0x0029, 0x1101}, "LO", "b")
        .text({0x0029, 0x7701}, "LO", "nobody");
    cases.push_back({"orphans: no creator, or one that stands twice", d.encode(Syntax::explicit_le),
                     explicit_le});
  }
  {
    DicomDataSet d;
    d.text({0x0008, 0x0005}, "CS", "ISO_IR 192")
        .us({0x0028, 0x0006}, 1)
        .text({0x0020, 0x4000}, "LT", "first")
        .text({0x0020, 0x4000}, "LT", "second")
        .bytes({0xFFFC, 0xFFFC}, "OB", bytes("0000"));
    cases.push_back(
        {"left out, and an element that stands twice", d.encode(Syntax::explicit_le), explicit_le});
  }
  return cases;
}

Json header_vector() {
  Json out;
  out["origin"] = "computed; CC0";
  out["seed"] = hex(ByteView{fixed_seed()});
  const canonical::Salts salts(fixed_seed());
  for (const HeaderCase& c : header_cases()) {
    const auto data_set = dicom::parse_data_set(c.data_set, c.encoding);
    FIDUCIA_ASSERT(data_set.has_value());
    const auto header = canonical::CanonicalHeader::read(*data_set, {});
    FIDUCIA_ASSERT(header.has_value());
    Json leaves;
    std::vector<Digest> hashes;
    for (std::size_t i = 0; i < header->leaves().size(); ++i) {
      const canonical::HeaderLeaf& leaf = header->leaves()[i];
      Bytes swap;
      std::string text;
      const canonical::CanonicalValue value = header->value(leaf, leaf.vr, swap, text);
      const Bytes preimage =
          attribute_preimage(salts.header_one(i), header->path(leaf), leaf.vr, value);
      Digest hash;
      canonical::HeaderHasher hasher;
      hasher.add(salts.header_one(i), header->path(leaf), leaf.vr, value, &hash);
      hasher.flush();
      FIDUCIA_ASSERT(hash == crypto::sha256(preimage));
      hashes.push_back(hash);
      leaves.push_back({{"path", hex(header->path(leaf))},
                        {"path_text", canonical::describe_path(header->path(leaf))->text},
                        {"vr", leaf.vr.text()},
                        {"kind", static_cast<int>(value.kind)},
                        {"value", hex(value.bytes)},
                        {"preimage", hex(ByteView{preimage})},
                        {"hash", hex(hash)}});
    }
    out["cases"].push_back({{"name", c.name},
                            {"explicit_vr", c.encoding.explicit_vr},
                            {"big_endian", c.encoding.big_endian},
                            {"data_set", hex(ByteView{c.data_set})},
                            {"leaves", leaves},
                            {"root", hex(merkle::root(hashes))}});
  }
  return out;
}

struct PixelCase {
  const char* name;
  codec::Geometry geometry;
};
codec::Geometry geometry_of(std::uint32_t rows, std::uint32_t columns, std::uint16_t samples,
                            std::uint16_t allocated, std::uint16_t stored, std::uint16_t high,
                            codec::SampleKind kind) {
  return {.frames = 2,
          .rows = rows,
          .columns = columns,
          .samples_per_pixel = samples,
          .bits_allocated = allocated,
          .bits_stored = stored,
          .high_bit = high,
          .kind = kind,
          .planar_configuration = 0,
          .photometric_interpretation = samples == 1 ? "MONOCHROME2" : "RGB"};
}

Json pixels_vector() {
  const PixelCase cases[] = {
      {"3 x 2, 12 of 16 bits, signed, something above them",
       geometry_of(2, 3, 1, 16, 12, 11, codec::SampleKind::signed_integer)},
      {"3 x 2, 8 of 16 bits, High Bit 11, unsigned",
       geometry_of(2, 3, 1, 16, 8, 11, codec::SampleKind::unsigned_integer)},
      {"66 x 2 RGB: two tiles",
       geometry_of(2, 66, 3, 8, 8, 7, codec::SampleKind::unsigned_integer)},
      {"1 x 1 double", geometry_of(1, 1, 1, 64, 64, 63, codec::SampleKind::floating)},
  };
  const canonical::Salts salts(fixed_seed());
  Json out;
  out["origin"] = "computed; CC0. `samples` of frame f: byte i is (37 i + 11 f + 5) mod 256";
  out["seed"] = hex(ByteView{fixed_seed()});
  for (const PixelCase& c : cases) {
    const std::size_t frame_bytes = static_cast<std::size_t>(c.geometry.frame_bytes());
    const canonical::SampleBits bits = canonical::sample_bits(c.geometry);
    canonical::TileHasher hasher(c.geometry);
    const std::size_t tiles = static_cast<std::size_t>(hasher.grid().count());
    canonical::PixelLeaves leaves;
    leaves.tiles.resize(tiles * c.geometry.frames);
    Json frames;
    for (std::uint32_t f = 0; f < c.geometry.frames; ++f) {
      Bytes samples(frame_bytes);
      for (std::size_t i = 0; i < samples.size(); ++i)
        samples[i] = static_cast<std::byte>(37 * i + 11 * f + 5);
      codec::Frame frame;
      frame.samples = samples;
      hasher.hash(f, frame, salts, std::span{leaves.tiles}.subspan(f * tiles, tiles),
                  leaves.outside_bits);
      Bytes canonical(frame_bytes);
      Bytes outside(frame_bytes);
      canonical::split_samples(samples, bits, canonical, outside);
      Json listed;
      const std::size_t pixel =
          std::size_t{c.geometry.samples_per_pixel} * c.geometry.sample_bytes();
      for (std::size_t t = 0; t < tiles; ++t) {
        const finding::TilePosition at = hasher.grid().position(t);
        const std::uint32_t height = std::min(64U, c.geometry.rows - at.row * 64);
        const std::uint32_t width = std::min(64U, c.geometry.columns - at.column * 64);
        const auto preimage = [&](std::string_view tag, const Salt& salt, ByteView from) {
          Bytes p = half_block(tag, salt);
          put(p, std::uint64_t{f});
          put(p, at.row);
          put(p, at.column);
          put(p, height);
          put(p, width);
          put(p, c.geometry.samples_per_pixel);
          p.push_back(static_cast<std::byte>(c.geometry.sample_bytes()));
          p.push_back(static_cast<std::byte>(c.geometry.kind));
          p.resize(64);
          for (std::uint32_t y = 0; y < height; ++y)
            append(p,
                   from.subspan(((at.row * 64 + y) * c.geometry.columns + at.column * 64) * pixel,
                                width * pixel));
          return p;
        };
        const Bytes tile = preimage(
            "fiducia/tile/1", salts.frame_one(f, canonical::FrameSaltUse::tile, t), canonical);
        FIDUCIA_ASSERT(crypto::sha256(tile) == leaves.tiles[f * tiles + t]);
        Json row{{"tile", t},
                 {"head", hex(ByteView{tile}.first(64))},
                 {"hash", hex(leaves.tiles[f * tiles + t])}};
        const auto leaf = std::ranges::find_if(
            leaves.outside_bits, [&](const auto& l) { return l.frame == f && l.tile == t; });
        if (leaf != leaves.outside_bits.end()) {
          const Bytes bits_preimage =
              preimage("fiducia/bits/1",
                       salts.frame_one(f, canonical::FrameSaltUse::outside_bits, t), outside);
          FIDUCIA_ASSERT(crypto::sha256(bits_preimage) == leaf->hash);
          row["outside_hash"] = hex(leaf->hash);
        }
        listed.push_back(row);
      }
      Json shown{{"samples", hex(ByteView{samples})},
                 {"canonical", hex(ByteView{canonical})},
                 {"outside", hex(ByteView{outside})},
                 {"tiles", listed}};
      frames.push_back(shown);
    }
    const Bytes tail = bytes("AABBCC");
    leaves.tail = canonical::tail_hash(salts, tail);
    const auto plain = [&](std::string_view tag, const Salt& salt, std::uint64_t index,
                           ByteView content) {
      Bytes p = half_block(tag, salt);
      put(p, index);
      put(p, static_cast<std::uint64_t>(content.size()));
      p.resize(64);
      append(p, content);
      return p;
    };
    FIDUCIA_ASSERT(crypto::sha256(plain("fiducia/tail/1", salts.tail(), 0, tail)) == *leaves.tail);
    const Bytes codestream = bytes("FFD80102FFD9");
    const Salt code = salts.frame_one(1, canonical::FrameSaltUse::encoded_frame, 0);
    const ByteView pieces[] = {ByteView{codestream}};
    const Digest encoded = canonical::encoded_frame_hash(1, salts, pieces);
    FIDUCIA_ASSERT(crypto::sha256(plain("fiducia/code/1", code, 1, codestream)) == encoded);
    out["cases"].push_back({{"name", c.name},
                            {"rows", c.geometry.rows},
                            {"columns", c.geometry.columns},
                            {"samples_per_pixel", c.geometry.samples_per_pixel},
                            {"bits_allocated", c.geometry.bits_allocated},
                            {"bits_stored", c.geometry.bits_stored},
                            {"high_bit", c.geometry.high_bit},
                            {"kind", static_cast<int>(c.geometry.kind)},
                            {"frames", frames},
                            {"tail", hex(ByteView{tail})},
                            {"tail_hash", hex(*leaves.tail)},
                            {"root_with_tail", hex(canonical::pixel_root(leaves, tiles))},
                            {"encoded_frame_1", hex(ByteView{codestream})},
                            {"encoded_frame_1_hash", hex(encoded)}});
  }
  return out;
}

Digest filled(unsigned char value) {
  Digest digest;
  digest.bytes.fill(static_cast<std::byte>(value));
  return digest;
}

evidence::Statement statement_of(bool pixels, bool samples) {
  evidence::Statement s;
  s.sop_class_uid = "1.2.840.10008.5.1.4.1.1.2";
  s.header_root = filled(0x11);
  s.header_leaf_count = 300;
  s.transfer_syntax_uid = "1.2.840.10008.1.2.4.90";
  s.claimed_at = {1'795'000'000};
  s.device = "CT-1";
  s.derived = pixels;
  if (!pixels) {
    s.transfer_syntax_uid = "1.2.840.10008.1.2.1";
    return s;
  }
  s.pixels = evidence::SealedPixels{.geometry = {.frames = 2,
                                                 .rows = 512,
                                                 .columns = 500,
                                                 .samples_per_pixel = 1,
                                                 .sample_bytes = 2,
                                                 .kind = 1,
                                                 .bits_stored = 12},
                                    .root = {},
                                    .leaf_count = 0,
                                    .lossless = samples,
                                    .decoder = samples ? "openjpeg 2.5.0" : "",
                                    .photometric_interpretation = "MONOCHROME2"};
  if (samples) {
    s.pixels->root = filled(0x22);
    s.pixels->leaf_count = 128;
  }
  s.encoding = evidence::SealedEncoding{
      .root = filled(0x33), .photometric_interpretation = "MONOCHROME2", .planar_configuration = 0};
  return s;
}

Json statement_vector() {
  Json out;
  out["origin"] = "computed; CC0. Roots are 32 equal bytes: 11 header, 22 pixels, 33 encoded";
  const std::tuple<const char*, bool, bool> cases[] = {
      {"without pixels", false, false},
      {"samples and encoded frames", true, true},
      {"no decoder: encoded frames only", true, false}};
  for (const auto& [name, pixels, samples] : cases) {
    const evidence::Statement s = statement_of(pixels, samples);
    out["cases"].push_back({{"name", name},
                            {"cbor", hex(ByteView{evidence::write_statement(s)})},
                            {"object_root", hex(evidence::object_root(s))}});
  }
  return out;
}

std::string code_block(const std::string& text) { return "```\n" + text + "```\n"; }

}  // namespace

std::map<std::string, Json> compute_vectors() {
  return {{"salts.json", salts_vector()},
          {"values.json", values_vector()},
          {"header.json", header_vector()},
          {"pixels.json", pixels_vector()},
          {"statement.json", statement_vector()}};
}

std::map<std::string, std::string> compute_examples() {
  std::map<std::string, std::string> out;
  const Json salts = salts_vector();
  std::string text = "seed                     " + salts["seed"].get<std::string>() + "\n";
  text += "header salt 0            " + salts["header"][0]["salt"].get<std::string>() + "\n";
  text += "header salt 1            " + salts["header"][1]["salt"].get<std::string>() + "\n";
  for (const Json& row : salts["frame"])
    if (row["frame"] == 1 && row["index"] == 0)
      text += row["use"].get<std::string>() + " salt, frame 1, 0    " +
              row["salt"].get<std::string>() + "\n";
  text += "tail salt                " + salts["tail"].get<std::string>() + "\n";
  out["salts"] = code_block(text);

  const Json header = header_vector();
  text.clear();
  for (const std::size_t index : {0UL, 3UL, 6UL})
    for (const Json& leaf : header["cases"][index]["leaves"])
      text +=
          leaf["path"].get<std::string>() + "\n    " + leaf["path_text"].get<std::string>() + "\n";
  out["paths"] = code_block(text);

  text.clear();
  for (const Json& leaf : header["cases"][0]["leaves"]) {
    const std::string preimage = leaf["preimage"].get<std::string>();
    text += leaf["path_text"].get<std::string>() + " " + leaf["vr"].get<std::string>() + "\n  " +
            preimage.substr(0, 32) + " " + preimage.substr(32, 32) + "\n  " + preimage.substr(64) +
            "\n  hash " + leaf["hash"].get<std::string>() + "\n";
  }
  text += "header root " + header["cases"][0]["root"].get<std::string>() + "\n";
  out["attributes"] = code_block(text);

  text.clear();
  const Json values = values_vector();  // a range-for would not keep it alive
  for (const Json& c : values["cases"])
    text += "| " + c["name"].get<std::string>() + " | " + c["vr"].get<std::string>() + " | `" +
            c["bytes"].get<std::string>() + "` | 0" + std::to_string(c["kind"].get<int>()) +
            " | `" + c["value"].get<std::string>() + "` |\n";
  out["values"] = "| case | VR | bytes | kind | value |\n|---|---|---|---|---|\n" + text;

  const Json pixels = pixels_vector();
  const Json& tile = pixels["cases"][0];
  const Json& frame = tile["frames"][0];
  out["tile"] = code_block(
      "3 x 2 pixels, Bits Allocated 16, Bits Stored 12, High Bit 11, signed; frame 0, tile (0,0)\n"
      "samples   " +
      frame["samples"].get<std::string>() + "\ncanonical " + frame["canonical"].get<std::string>() +
      "\noutside   " + frame["outside"].get<std::string>() + "\nhead      " +
      frame["tiles"][0]["head"].get<std::string>() + "\nhash      " +
      frame["tiles"][0]["hash"].get<std::string>() + "\noutside leaf " +
      frame["tiles"][0]["outside_hash"].get<std::string>() + "\n");

  const Json statements = statement_vector();
  const Json& statement = statements["cases"][1];
  out["statement"] = code_block(statement["cbor"].get<std::string>() + "\n");
  out["object_root"] =
      code_block("of the statement above: " + statement["object_root"].get<std::string>() + "\n");
  return out;
}

}  // namespace fiducia::test
