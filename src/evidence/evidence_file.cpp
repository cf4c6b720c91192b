// SPDX-License-Identifier: Apache-2.0
#include "evidence/evidence_file.h"

#include <algorithm>
#include <cstring>

#include "canonical/header.h"
#include "evidence/fields.h"
#include "ledger_format/ledger_format.h"

namespace fiducia::evidence {
namespace {

constexpr std::uint64_t evidence_version = 1;

constexpr const char* in_evidence = "evidence";  // kind of errors

std::unexpected<Error> malformed(std::string what, std::uint64_t offset) {
  return fail_malformed(in_evidence, std::move(what), offset);
}

// --- writing --------------------------------------------------------------------------------

void write_pixels(crypto::CborWriter& out, const canonical::PixelLeaves& pixels) {
  out.array(5);
  write_digests(out, pixels.tiles);
  out.array(pixels.outside_bits.size());
  for (const canonical::OutsideBitsLeaf& leaf : pixels.outside_bits) {
    out.array(3);
    out.uint(leaf.frame);
    out.uint(leaf.tile);
    out.bytes(leaf.hash.view());
  }
  write_digest_or_null(out, pixels.tail);
  write_digests(out, pixels.encoded_frames);
  out.array(pixels.renditions.size());
  for (const std::vector<Digest>& rendition : pixels.renditions) write_digests(out, rendition);
}

// --- reading --------------------------------------------------------------------------------

Status read_attributes(crypto::CborReader& in, Evidence& evidence) {
  FIDUCIA_TRY(count, in.array());  // at most the bytes that are left
  if (count > limits::elements_max)
    return fail(ErrorCode::over_limit, "the evidence lists too many attributes.", {});
  evidence.attributes.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    FIDUCIA_CHECK(expect_items(in, 3, in_evidence));
    const std::uint64_t offset = in.offset();
    FIDUCIA_TRY(path, in.bytes());
    FIDUCIA_TRY(vr, in.text());
    FIDUCIA_TRY(hash, read_digest(in, in_evidence));
    if (path.empty() || vr.size() != 2 || !dicom::is_known_vr({vr[0], vr[1]}))
      return malformed("a row of the attribute table is not path and VR.", offset);
    if (i > 0 && canonical::compare_paths(path, evidence.attributes.back().path) < 0)
      return malformed("the attribute table is not in order.", offset);
    evidence.attributes.push_back({.path = path, .vr = {vr[0], vr[1]}, .hash = hash});
  }
  return {};
}

Status read_pixels(crypto::CborReader& in, canonical::PixelLeaves& pixels) {
  FIDUCIA_TRY(type, in.peek());
  if (type == crypto::CborType::null) return in.null();
  FIDUCIA_CHECK(expect_items(in, 5, in_evidence));
  FIDUCIA_TRY(tiles, read_digests(in, in_evidence));
  pixels.tiles = std::move(tiles);
  FIDUCIA_TRY(outside_count, in.array());
  if (outside_count > limits::tiles_max)
    return fail(ErrorCode::over_limit, "the evidence lists too many tiles.", {});
  for (std::size_t i = 0; i < outside_count; ++i) {
    const std::uint64_t offset = in.offset();
    FIDUCIA_CHECK(expect_items(in, 3, in_evidence));
    FIDUCIA_TRY(frame, in.uint());
    FIDUCIA_TRY(tile, in.uint());
    FIDUCIA_TRY(hash, read_digest(in, in_evidence));
    if (!std::in_range<std::uint32_t>(frame) || !std::in_range<std::uint32_t>(tile))
      return malformed("a tile number is out of range.", offset);
    const canonical::OutsideBitsLeaf leaf{.frame = static_cast<std::uint32_t>(frame),
                                          .tile = static_cast<std::uint32_t>(tile),
                                          .hash = hash};
    if (!pixels.outside_bits.empty()) {
      const canonical::OutsideBitsLeaf& last = pixels.outside_bits.back();
      if (std::pair(leaf.frame, leaf.tile) <= std::pair(last.frame, last.tile))
        return malformed("the tiles with bits outside Bits Stored are not in order.", offset);
    }
    pixels.outside_bits.push_back(leaf);
  }
  FIDUCIA_TRY(tail, read_digest_or_null(in, in_evidence));
  pixels.tail = tail;
  FIDUCIA_TRY(encoded, read_digests(in, in_evidence));
  pixels.encoded_frames = std::move(encoded);
  const std::uint64_t offset = in.offset();
  FIDUCIA_TRY(renditions, in.array());
  if (renditions >= codec::rendition_count)
    return malformed("there are too many tables of renditions.", offset);
  for (std::size_t i = 0; i < renditions; ++i) {
    FIDUCIA_TRY(rendition, read_digests(in, in_evidence));
    pixels.renditions.push_back(std::move(rendition));
  }
  return {};
}

Status read_receipts(crypto::CborReader& in, Evidence& evidence) {
  const std::uint64_t offset = in.offset();
  FIDUCIA_TRY(count, in.array());
  if (count > limits::evidence_receipts_max)
    return malformed("there are more than 16 receipts.", offset);
  for (std::size_t i = 0; i < count; ++i) {
    FIDUCIA_TRY(receipt, in.bytes());
    evidence.receipts.push_back(receipt);
  }
  return {};
}

Status read_time_stamps(crypto::CborReader& in, Evidence& evidence) {
  const std::uint64_t offset = in.offset();
  FIDUCIA_TRY(count, in.array());
  // None at all is said by leaving the key out: one content, one encoding.
  if (count == 0 || count > limits::time_stamps_max)
    return malformed("there are no time-stamps, or more than 8.", offset);
  for (std::size_t i = 0; i < count; ++i) {
    FIDUCIA_TRY(token, in.bytes());
    if (token.empty() || token.size() > limits::time_stamp_bytes_max)
      return malformed("a time-stamp is empty or too long.", offset);
    evidence.time_stamps.push_back(token);
  }
  if (evidence.checkpoint.empty())  // read before: keys ascend
    return malformed("there are time-stamps, but no checkpoint that they could be over.", offset);
  return {};
}

/// The evidence (spec/evidence.md), field by field.
constexpr Field<EvidenceParts, Evidence> evidence_fields[] = {
    // version
    {.key = 1,
     .write = [](crypto::CborWriter& out, const EvidenceParts&) { out.uint(evidence_version); },
     .read = [](crypto::CborReader& in, std::uint64_t, Evidence&) -> Status {
       FIDUCIA_TRY(version, in.uint());
       if (version != evidence_version)
         return fail(ErrorCode::unsupported,
                     "the evidence has version " + std::to_string(version) + ".",
                     "Verify it with a newer Fiducia.");
       return {};
     }},
    // sign1
    {.key = 2,
     .write = [](crypto::CborWriter& out, const EvidenceParts& parts) { out.bytes(parts.sign1); },
     .read = [](crypto::CborReader& in, std::uint64_t, Evidence& evidence) -> Status {
       FIDUCIA_TRY(sign1, in.bytes());
       evidence.sign1 = sign1;
       return {};
     }},
    // seed
    {.key = 3,
     .write = [](crypto::CborWriter& out,
                 const EvidenceParts& parts) { out.bytes(ByteView{*parts.seed}); },
     .read = [](crypto::CborReader& in, std::uint64_t offset, Evidence& evidence) -> Status {
       FIDUCIA_TRY(seed, in.bytes());
       if (seed.size() != evidence.seed.size())
         return malformed("the seed is not 32 bytes.", offset);
       std::memcpy(evidence.seed.data(), seed.data(), seed.size());
       return {};
     }},
    // attributes
    {.key = 4,
     .write =
         [](crypto::CborWriter& out, const EvidenceParts& parts) {
           out.array(parts.attributes.size());
           for (const SealedAttribute& attribute : parts.attributes) {
             out.array(3);
             out.bytes(attribute.path);
             out.text(attribute.vr.text());
             out.bytes(attribute.hash.view());
           }
         },
     .read = [](crypto::CborReader& in, std::uint64_t, Evidence& evidence) -> Status {
       return read_attributes(in, evidence);
     }},
    // pixels
    {.key = 5,
     .write =
         [](crypto::CborWriter& out, const EvidenceParts& parts) {
           if (parts.pixels != nullptr)
             write_pixels(out, *parts.pixels);
           else
             out.null();
         },
     .read = [](crypto::CborReader& in, std::uint64_t, Evidence& evidence) -> Status {
       return read_pixels(in, evidence.pixels);
     }},
    // receipts
    {.key = 6,
     .write =
         [](crypto::CborWriter& out, const EvidenceParts& parts) {
           out.array(parts.receipts.size());
           for (const Bytes& receipt : parts.receipts) out.bytes(receipt);
         },
     .read = [](crypto::CborReader& in, std::uint64_t, Evidence& evidence) -> Status {
       return read_receipts(in, evidence);
     }},
    // checkpoint
    {.key = 7,
     .write = [](crypto::CborWriter& out,
                 const EvidenceParts& parts) { out.text(parts.checkpoint); },
     .read = [](crypto::CborReader& in, std::uint64_t offset, Evidence& evidence) -> Status {
       FIDUCIA_TRY(checkpoint, in.text());
       if (checkpoint.size() > limits::note_bytes_max)
         return malformed("the checkpoint is too long.", offset);
       evidence.checkpoint = std::string(checkpoint);
       return {};
     }},
    // time stamps
    {.key = 8,
     .write =
         [](crypto::CborWriter& out, const EvidenceParts& parts) {
           out.array(parts.time_stamps.size());
           for (const Bytes& token : parts.time_stamps) out.bytes(token);
         },
     .read = [](crypto::CborReader& in, std::uint64_t, Evidence& evidence) -> Status {
       return read_time_stamps(in, evidence);
     },
     .is_written = [](const EvidenceParts& parts) { return !parts.time_stamps.empty(); },
     .is_optional = true},
};

/// Whether the tables have the sizes that the statement says.
Status check_tables(const Evidence& evidence) {
  const Statement& statement = evidence.statement;
  const canonical::PixelLeaves& pixels = evidence.pixels;
  if (evidence.attributes.size() != statement.header_leaf_count)
    return malformed("the attribute table does not have the length that was signed.", 0);
  std::uint64_t tiles = 0;
  std::uint64_t tiles_per_frame = 0;
  std::uint64_t encoded = 0;
  if (statement.pixels) {
    const SealedGeometry& g = statement.pixels->geometry;
    tiles_per_frame = canonical::tile_grid(g.rows, g.columns).count();
    if (statement.pixels->root) tiles = tiles_per_frame * g.frames;  // < 2^20 * 10^6
    if (statement.encoding) encoded = g.frames;
    const std::uint64_t leaves = tiles + pixels.outside_bits.size() + (pixels.tail ? 1U : 0U);
    if (statement.pixels->leaf_count != leaves)
      return malformed("the tile table does not have the length that was signed.", 0);
  }
  if (pixels.tiles.size() != tiles)
    return malformed("the tile table does not fit the geometry.", 0);
  const std::size_t renditions = statement.pixels ? statement.pixels->renditions.size() : 0;
  if (pixels.renditions.size() != renditions ||
      std::ranges::any_of(pixels.renditions, [&](const std::vector<Digest>& table) {
        return table.size() != statement.pixels->geometry.frames;
      }))
    return malformed("the tables of renditions do not fit the statement.", 0);
  if (pixels.encoded_frames.size() != encoded)
    return malformed("the table of encoded frames does not fit the geometry.", 0);
  if ((pixels.tail || !pixels.outside_bits.empty()) && tiles == 0)
    return malformed("the tile table is not complete.", 0);
  if (!pixels.outside_bits.empty() &&
      (pixels.outside_bits.back().frame >= statement.pixels->geometry.frames ||
       std::ranges::any_of(pixels.outside_bits, [&](const canonical::OutsideBitsLeaf& l) {
         return l.tile >= tiles_per_frame;
       })))
    return malformed("a tile lies outside the image.", 0);
  return {};
}

}  // namespace

Result<Evidence> read_evidence(ByteView encoded) {
  if (encoded.size() > limits::evidence_bytes_max)
    return fail(ErrorCode::over_limit, "the evidence is larger than 256 MiB.",
                "Verify this object with a build that has a larger limit.");
  Evidence evidence;
  evidence.encoded.assign(encoded.begin(), encoded.end());
  crypto::CborReader in(evidence.encoded);
  FIDUCIA_CHECK(read_fields(in, evidence_fields, in_evidence, evidence));
  // An OB element has even length: one pad byte may follow, and it is 00 (PS3.5 section 6.2).
  if (!in.at_end()) {
    if (in.offset() + 1 != evidence.encoded.size() || evidence.encoded.back() != std::byte{0})
      return malformed("bytes follow the evidence.", in.offset());
    evidence.encoded.pop_back();  // keeps the buffer where it is
  }
  FIDUCIA_TRY(sign1, crypto::read_sign1(evidence.sign1));
  if (!sign1.payload) return malformed("the statement is detached from its signature.", 0);
  FIDUCIA_TRY(statement, read_statement(*sign1.payload));
  evidence.statement = std::move(statement);
  evidence.object_root = object_root(evidence.statement);
  FIDUCIA_CHECK(check_tables(evidence));
  return evidence;
}

namespace {
Result<std::vector<ByteView>> read_evidence_list(ByteView encoded, bool padded);
}  // namespace

Result<std::vector<ByteView>> read_evidence_file(ByteView encoded) {
  return read_evidence_list(encoded, /*padded=*/false);
}

Result<std::vector<ByteView>> read_embedded_evidence(ByteView value) {
  return read_evidence_list(value, /*padded=*/true);
}

namespace {

Result<std::vector<ByteView>> read_evidence_list(ByteView encoded, bool padded) {
  crypto::CborReader in(encoded);
  FIDUCIA_TRY(type, in.peek());
  std::vector<ByteView> evidences;
  if (type != crypto::CborType::array) {
    evidences.push_back(encoded);
    return evidences;
  }
  FIDUCIA_TRY(count, in.array());
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t offset = in.offset();
    FIDUCIA_TRY(item, in.skip());
    evidences.push_back(item);
    crypto::CborReader inside(item);
    FIDUCIA_TRY(inside_type, inside.peek());
    if (inside_type != crypto::CborType::map)
      return malformed("an item of the evidence file is not evidence.", offset);
  }
  // The pad byte of an OB element.
  const bool pad = padded && in.offset() + 1 == encoded.size() && encoded.back() == std::byte{0};
  if (!pad) FIDUCIA_CHECK(in.finish());
  return evidences;
}

}  // namespace

std::optional<std::size_t> find_sealed(const Evidence& evidence, ByteView path) {
  const auto& table = evidence.attributes;
  const auto at = std::ranges::lower_bound(
      table, path, [](ByteView a, ByteView b) { return canonical::compare_paths(a, b) < 0; },
      &SealedAttribute::path);
  if (at == table.end() || !same_bytes(at->path, path)) return std::nullopt;
  return static_cast<std::size_t>(at - table.begin());
}

bool is_evidence_file(ByteView encoded) {
  const auto parts = read_evidence_file(encoded);
  return parts && !parts->empty() && read_evidence(parts->front()).has_value();
}

Bytes write_evidence_file(std::span<const Bytes> evidences) {
  if (evidences.size() == 1) return evidences.front();
  crypto::CborWriter out;
  out.array(evidences.size());
  for (const Bytes& evidence : evidences) out.raw(evidence);
  return out.take();
}

Result<Bytes> with_receipts(ByteView evidence, std::span<const Bytes> receipts,
                            std::string_view checkpoint, std::span<const Bytes> time_stamps) {
  FIDUCIA_TRY(read, read_evidence(evidence));
  return write_evidence({.sign1 = read.sign1,
                         .seed = &read.seed,
                         .attributes = read.attributes,
                         .pixels = read.statement.pixels ? &read.pixels : nullptr,
                         .receipts = receipts,
                         .checkpoint = checkpoint,
                         .time_stamps = time_stamps});
}

std::optional<Digest> time_stamp_imprint(std::string_view checkpoint) {
  const auto note = ledger_format::read_note(checkpoint);
  if (!note) return std::nullopt;
  return crypto::sha256(as_bytes(note->text));
}

Bytes write_evidence(const EvidenceParts& parts) {
  FIDUCIA_ASSERT(parts.seed != nullptr);
  crypto::CborWriter out;
  FIDUCIA_ASSERT(parts.time_stamps.size() <= limits::time_stamps_max);
  write_fields(out, evidence_fields, parts);
  return out.take();
}

}  // namespace fiducia::evidence
