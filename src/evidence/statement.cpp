// SPDX-License-Identifier: Apache-2.0
#include "evidence/statement.h"

#include "crypto/crypto.h"
#include "evidence/fields.h"

namespace fiducia::evidence {
namespace {

constexpr std::uint64_t statement_version = 1;
constexpr std::uint64_t canonical_form_version = 1;
constexpr const char* in_statement = "statement";  // kind of errors
constexpr std::string_view object_tag{"fiducia/object/1", 16};
/// UIDs have 64 characters, labels and decoder names as many; more is not ours.
constexpr std::size_t statement_text_bytes_max = 64;

enum Flag : std::uint64_t { flag_synthetic = 1, flag_derived = 2 };

void write_geometry(crypto::CborWriter& out, const SealedGeometry& g) {
  out.array(7);
  for (const std::uint64_t value :
       {std::uint64_t{g.frames}, std::uint64_t{g.rows}, std::uint64_t{g.columns},
        std::uint64_t{g.samples_per_pixel}, std::uint64_t{g.sample_bytes}, std::uint64_t{g.kind},
        std::uint64_t{g.bits_stored}})
    out.uint(value);
}

void write_pixels(crypto::CborWriter& out, const SealedPixels& pixels) {
  out.array(8);
  write_geometry(out, pixels.geometry);
  write_digest_or_null(out, pixels.root);
  out.uint(pixels.leaf_count);
  out.boolean(pixels.lossless);
  out.text(pixels.decoder);
  out.text(pixels.photometric_interpretation);
  out.array(pixels.renditions.size());
  for (const SealedRendition& rendition : pixels.renditions) {
    out.array(2);
    out.uint(static_cast<std::uint64_t>(rendition.rendition));
    out.bytes(rendition.root.view());
  }
  std::vector<std::uint8_t> kinds;
  for (std::uint8_t n = codec::oddity_first; n <= codec::oddity_last; ++n)
    if (pixels.oddities.has(static_cast<codec::Oddity>(n))) kinds.push_back(n);
  out.array(kinds.size());
  for (const std::uint8_t kind : kinds) out.uint(kind);
}

std::unexpected<Error> bad_statement(std::string what, std::uint64_t offset) {
  return fail_malformed("statement", std::move(what), offset);
}

Result<std::string> read_text(crypto::CborReader& in) {
  const std::uint64_t offset = in.offset();
  FIDUCIA_TRY(text, in.text());
  if (text.size() > statement_text_bytes_max)
    return bad_statement("a text is longer than 64 bytes.", offset);
  return std::string(text);
}

template <class T>
Result<T> read_number(crypto::CborReader& in) {
  const std::uint64_t offset = in.offset();
  FIDUCIA_TRY(value, in.uint());
  if (!std::in_range<T>(value)) return bad_statement("a number is out of range.", offset);
  return static_cast<T>(value);
}

Result<SealedGeometry> read_geometry(crypto::CborReader& in) {
  const std::uint64_t offset = in.offset();
  FIDUCIA_CHECK(expect_items(in, 7, in_statement));
  SealedGeometry g;
  FIDUCIA_TRY(frames, read_number<std::uint32_t>(in));
  FIDUCIA_TRY(rows, read_number<std::uint32_t>(in));
  FIDUCIA_TRY(columns, read_number<std::uint32_t>(in));
  FIDUCIA_TRY(samples, read_number<std::uint16_t>(in));
  FIDUCIA_TRY(sample_bytes, read_number<std::uint8_t>(in));
  FIDUCIA_TRY(kind, read_number<std::uint8_t>(in));
  FIDUCIA_TRY(bits_stored, read_number<std::uint16_t>(in));
  g = {.frames = frames,
       .rows = rows,
       .columns = columns,
       .samples_per_pixel = samples,
       .sample_bytes = sample_bytes,
       .kind = kind,
       .bits_stored = bits_stored};
  const bool whole =
      sample_bytes == 1 || sample_bytes == 2 || sample_bytes == 4 || sample_bytes == 8;
  if (frames == 0 || rows == 0 || columns == 0 || rows > 0xFFFF || columns > 0xFFFF ||
      samples == 0 || samples > 4 || !whole || kind > 2 || bits_stored == 0 ||
      bits_stored > sample_bytes * 8U || frames > limits::frames_max)
    return bad_statement("the geometry is impossible.", offset);
  return g;
}

Result<std::vector<SealedRendition>> read_renditions(crypto::CborReader& in) {
  const std::uint64_t offset = in.offset();
  FIDUCIA_TRY(count, in.array());
  if (count >= codec::rendition_count)
    return bad_statement("there are too many renditions.", offset);
  std::vector<SealedRendition> out;
  std::uint64_t last = 0;  // the first rendition is that of the pixel tree
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t item = in.offset();
    FIDUCIA_CHECK(expect_items(in, 2, in_statement));
    FIDUCIA_TRY(number, in.uint());
    FIDUCIA_TRY(root, read_digest(in, in_statement));
    if (number <= last || number >= codec::rendition_count)
      return bad_statement("a rendition is unknown or out of order.", item);
    last = number;
    out.push_back({.rendition = static_cast<codec::Rendition>(number), .root = root});
  }
  return out;
}

/// Numbers from `first` to `last`, ascending.
Result<std::vector<std::uint8_t>> read_kinds(crypto::CborReader& in, std::uint8_t first,
                                             std::uint8_t last) {
  const std::uint64_t offset = in.offset();
  FIDUCIA_TRY(count, in.array());
  std::vector<std::uint8_t> out;
  for (std::size_t i = 0; i < count; ++i) {
    FIDUCIA_TRY(number, in.uint());
    if (number < first || number > last || (!out.empty() && number <= out.back()))
      return bad_statement("a kind of reading is unknown or out of order.", offset);
    out.push_back(static_cast<std::uint8_t>(number));
  }
  return out;
}

Result<std::optional<SealedPixels>> read_pixels(crypto::CborReader& in) {
  FIDUCIA_TRY(type, in.peek());
  if (type == crypto::CborType::null) {
    FIDUCIA_CHECK(in.null());
    return std::nullopt;
  }
  FIDUCIA_CHECK(expect_items(in, 8, in_statement));
  SealedPixels pixels;
  FIDUCIA_TRY(geometry, read_geometry(in));
  pixels.geometry = geometry;
  FIDUCIA_TRY(root, read_digest_or_null(in, in_statement));
  pixels.root = root;
  FIDUCIA_TRY(count, in.uint());
  pixels.leaf_count = count;
  FIDUCIA_TRY(lossless, in.boolean());
  pixels.lossless = lossless;
  FIDUCIA_TRY(decoder, read_text(in));
  pixels.decoder = std::move(decoder);
  FIDUCIA_TRY(photometric, read_text(in));
  pixels.photometric_interpretation = std::move(photometric);
  FIDUCIA_TRY(renditions, read_renditions(in));
  pixels.renditions = std::move(renditions);
  if (!pixels.root && !pixels.renditions.empty())
    return bad_statement("renditions are sealed, but no samples.", in.offset());
  FIDUCIA_TRY(oddities, read_kinds(in, codec::oddity_first, codec::oddity_last));
  for (const std::uint8_t kind : oddities) pixels.oddities.add(static_cast<codec::Oddity>(kind));
  return pixels;
}

Result<std::optional<SealedEncoding>> read_encoding(crypto::CborReader& in) {
  FIDUCIA_TRY(type, in.peek());
  if (type == crypto::CborType::null) {
    FIDUCIA_CHECK(in.null());
    return std::nullopt;
  }
  FIDUCIA_CHECK(expect_items(in, 3, in_statement));
  SealedEncoding encoding;
  FIDUCIA_TRY(root, read_digest(in, in_statement));
  encoding.root = root;
  FIDUCIA_TRY(photometric, read_text(in));
  encoding.photometric_interpretation = std::move(photometric);
  FIDUCIA_TRY(planar, read_number<std::uint16_t>(in));
  encoding.planar_configuration = planar;
  return encoding;
}

/// The word of a kind; one that this release does not know is none of a statement that it can read.
Result<StatementKind> read_kind(crypto::CborReader& in) {
  FIDUCIA_TRY(word, in.text());
  for (const StatementKind kind : all_statement_kinds)
    if (word == to_word(kind)) return kind;
  return fail(ErrorCode::unsupported, "the statement is of a kind that this release does not know.",
              "Verify it with a newer Fiducia.");
}

/// The statement (spec/seal.md 8), field by field.
constexpr Field<Statement, Statement> statement_fields[] = {
    // version
    {.key = 1,
     .write = [](crypto::CborWriter& out, const Statement&) { out.uint(statement_version); },
     .read = [](crypto::CborReader& in, std::uint64_t, Statement&) -> Status {
       FIDUCIA_TRY(version, in.uint());
       if (version != statement_version)
         return fail(ErrorCode::unsupported,
                     "the statement has version " + std::to_string(version) + ".",
                     "Verify it with a newer Fiducia.");
       return {};
     }},
    // kind
    {.key = 2,
     .write = [](crypto::CborWriter& out,
                 const Statement&) { out.text(to_word(StatementKind::seal)); },
     .read = [](crypto::CborReader& in, std::uint64_t, Statement&) -> Status {
       FIDUCIA_TRY(kind, read_kind(in));
       if (kind != StatementKind::seal)
         return fail(ErrorCode::unsupported, "the statement is not a seal.",
                     "Verify it with a newer Fiducia.");
       return {};
     }},
    // canonical form
    {.key = 3,
     .write = [](crypto::CborWriter& out, const Statement&) { out.uint(canonical_form_version); },
     .read = [](crypto::CborReader& in, std::uint64_t, Statement&) -> Status {
       FIDUCIA_TRY(version, in.uint());
       if (version != canonical_form_version)
         return fail(ErrorCode::unsupported,
                     "the canonical form has version " + std::to_string(version) + ".",
                     "Verify it with a newer Fiducia.");
       return {};
     }},
    // sop class
    {.key = 4,
     .write = [](crypto::CborWriter& out,
                 const Statement& statement) { out.text(statement.sop_class_uid); },
     .read = [](crypto::CborReader& in, std::uint64_t, Statement& statement) -> Status {
       FIDUCIA_TRY(uid, read_text(in));
       statement.sop_class_uid = std::move(uid);
       return {};
     }},
    // header
    {.key = 5,
     .write =
         [](crypto::CborWriter& out, const Statement& statement) {
           out.array(2);
           out.bytes(statement.header_root.view());
           out.uint(statement.header_leaf_count);
         },
     .read = [](crypto::CborReader& in, std::uint64_t, Statement& statement) -> Status {
       FIDUCIA_CHECK(expect_items(in, 2, in_statement));
       FIDUCIA_TRY(root, read_digest(in, in_statement));
       statement.header_root = root;
       FIDUCIA_TRY(count, in.uint());
       statement.header_leaf_count = count;
       return {};
     }},
    // pixels
    {.key = 6,
     .write =
         [](crypto::CborWriter& out, const Statement& statement) {
           if (statement.pixels)
             write_pixels(out, *statement.pixels);
           else
             out.null();
         },
     .read = [](crypto::CborReader& in, std::uint64_t, Statement& statement) -> Status {
       FIDUCIA_TRY(pixels, read_pixels(in));
       statement.pixels = std::move(pixels);
       return {};
     }},
    // transfer syntax
    {.key = 7,
     .write = [](crypto::CborWriter& out,
                 const Statement& statement) { out.text(statement.transfer_syntax_uid); },
     .read = [](crypto::CborReader& in, std::uint64_t, Statement& statement) -> Status {
       FIDUCIA_TRY(uid, read_text(in));
       statement.transfer_syntax_uid = std::move(uid);
       return {};
     }},
    // encoding
    {.key = 8,
     .write =
         [](crypto::CborWriter& out, const Statement& statement) {
           if (!statement.encoding) return out.null();
           out.array(3);
           out.bytes(statement.encoding->root.view());
           out.text(statement.encoding->photometric_interpretation);
           out.uint(statement.encoding->planar_configuration);
         },
     .read = [](crypto::CborReader& in, std::uint64_t, Statement& statement) -> Status {
       FIDUCIA_TRY(encoding, read_encoding(in));
       statement.encoding = std::move(encoding);
       return {};
     }},
    // claimed at
    {.key = 9,
     .write = [](crypto::CborWriter& out,
                 const Statement& statement) { out.integer(statement.claimed_at.seconds); },
     .read = [](crypto::CborReader& in, std::uint64_t, Statement& statement) -> Status {
       FIDUCIA_TRY(seconds, read_number<std::int64_t>(in));
       statement.claimed_at = {seconds};
       return {};
     }},
    // device
    {.key = 10,
     .write = [](crypto::CborWriter& out,
                 const Statement& statement) { out.text(statement.device); },
     .read = [](crypto::CborReader& in, std::uint64_t offset, Statement& statement) -> Status {
       FIDUCIA_TRY(device, read_text(in));
       if (device.empty()) return bad_statement("the device label is empty.", offset);
       statement.device = std::move(device);
       return {};
     }},
    // flags
    {.key = 11,
     .write =
         [](crypto::CborWriter& out, const Statement& statement) {
           std::uint64_t flags = 0;
           if (statement.synthetic) flags |= flag_synthetic;
           if (statement.derived) flags |= flag_derived;
           out.uint(flags);
         },
     .read = [](crypto::CborReader& in, std::uint64_t offset, Statement& statement) -> Status {
       FIDUCIA_TRY(flags, in.uint());
       if ((flags & ~std::uint64_t{flag_synthetic | flag_derived}) != 0)
         return bad_statement("a flag is unknown.", offset);
       statement.synthetic = (flags & flag_synthetic) != 0;
       statement.derived = (flags & flag_derived) != 0;
       return {};
     }},
    // ambiguities
    {.key = 12,
     .write =
         [](crypto::CborWriter& out, const Statement& statement) {
           out.array(statement.ambiguities.size());
           for (const canonical::AmbiguityKind kind : statement.ambiguities)
             out.uint(static_cast<std::uint64_t>(kind));
         },
     .read = [](crypto::CborReader& in, std::uint64_t, Statement& statement) -> Status {
       FIDUCIA_TRY(kinds, read_kinds(in, 1, 0xFF));
       for (const std::uint8_t kind : kinds)
         statement.ambiguities.push_back(static_cast<canonical::AmbiguityKind>(kind));
       return {};
     }},
    // untyped text
    {.key = 13,
     .write = [](crypto::CborWriter& out,
                 const Statement& statement) { out.bytes(statement.untyped_text->view()); },
     .read = [](crypto::CborReader& in, std::uint64_t, Statement& statement) -> Status {
       FIDUCIA_TRY(digest, read_digest(in, in_statement));
       statement.untyped_text = digest;
       return {};
     },
     .is_written = [](const Statement& statement) { return statement.untyped_text.has_value(); },
     .is_optional = true},
};

}  // namespace

SealedGeometry sealed_geometry(const codec::Geometry& geometry) {
  return {.frames = geometry.frames,
          .rows = geometry.rows,
          .columns = geometry.columns,
          .samples_per_pixel = geometry.samples_per_pixel,
          .sample_bytes = static_cast<std::uint8_t>(geometry.sample_bytes()),
          .kind = static_cast<std::uint8_t>(geometry.kind),
          .bits_stored = geometry.bits_stored};
}

std::string_view to_word(StatementKind kind) {
  switch (kind) {
    case StatementKind::seal:
      return "seal";
    case StatementKind::amendment:
      return "amendment";
    case StatementKind::derivation:
      return "derivation";
    case StatementKind::manifest:
      return "manifest";
  }
  std::unreachable();
}

Bytes write_statement(const Statement& statement) {
  crypto::CborWriter out;
  write_fields(out, statement_fields, statement);
  return out.take();
}

Result<Statement> read_statement(ByteView encoded) {
  crypto::CborReader in(encoded);
  Statement statement;
  FIDUCIA_CHECK(read_fields(in, statement_fields, in_statement, statement));
  FIDUCIA_CHECK(in.finish());
  if (statement.encoding && !statement.pixels)
    return bad_statement("encoded frames are sealed, but no geometry.", 0);
  if (statement.pixels && !statement.pixels->root && !statement.encoding)
    return bad_statement("a geometry is sealed, but neither samples nor encoded frames.", 0);
  return statement;
}

Digest object_root(const Statement& statement) {
  FIDUCIA_ASSERT(!statement.pixels || statement.pixels->root || statement.encoding);
  Bytes message(as_bytes(object_tag).begin(), as_bytes(object_tag).end());
  crypto::CborWriter out;
  out.array(5);
  out.uint(canonical_form_version);
  out.bytes(statement.header_root.view());
  out.uint(statement.header_leaf_count);
  if (statement.pixels) {
    write_geometry(out, statement.pixels->geometry);
    out.bytes((statement.pixels->root ? *statement.pixels->root : statement.encoding->root).view());
  } else {
    out.null();
    out.null();
  }
  append(message, out.bytes_so_far());
  return crypto::sha256(message);
}

}  // namespace fiducia::evidence
