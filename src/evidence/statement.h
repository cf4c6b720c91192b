// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "canonical/reading.h"
#include "codec/codec.h"
#include "core/core.h"

namespace fiducia::evidence {

/// What the samples are that the pixel tree covers: the part of codec::Geometry that a
/// legitimate change of encoding keeps (spec/seal.md 6.1).
struct SealedGeometry {
  std::uint32_t frames = 0;
  std::uint32_t rows = 0;
  std::uint32_t columns = 0;
  std::uint16_t samples_per_pixel = 0;
  std::uint8_t sample_bytes = 0;
  std::uint8_t kind = 0;  // codec::SampleKind
  std::uint16_t bits_stored = 0;
  bool operator==(const SealedGeometry&) const = default;
};
[[nodiscard]] SealedGeometry sealed_geometry(const codec::Geometry& geometry);

/// The frames as decoders of another kind give them, when an image is decompressed that was sealed
/// as colour JPEG with loss (spec/seal.md 6.7).
struct SealedRendition {
  codec::Rendition rendition = codec::Rendition::ycbcr_interpolated;  // never the first
  Digest root;                                                        // over one leaf a frame
};

/// The pixel part of a statement.
struct SealedPixels {
  SealedGeometry geometry;
  std::optional<Digest> root;              // of the pixel tree; absent when no decoder was at hand
  std::uint64_t leaf_count = 0;            // of the pixel tree
  bool lossless = true;                    // whether decoding at sealing lost nothing
  std::string decoder;                     // what decoded the samples; "native" when nothing had to
  std::string photometric_interpretation;  // of the canonical samples
  std::vector<SealedRendition> renditions = {};  // ascending; none without root
  codec::Oddities oddities = {};  // that the encoding had at sealing (spec/seal.md 7.1)
};

/// The encoded frames as they were at sealing (the shortcut of spec/seal.md 7). It counts only
/// for a file that says all of this the same way.
struct SealedEncoding {
  Digest root;                             // over the encoded-frame leaves
  std::string photometric_interpretation;  // as the file said it
  std::uint16_t planar_configuration = 0;
};

/// What a signed statement is: the second field of every one, so that others than seals have their
/// place beside them. This release reads and writes seals; the others are refused as unsupported.
enum class StatementKind : std::uint8_t { seal, amendment, derivation, manifest };
inline constexpr std::array all_statement_kinds{StatementKind::seal, StatementKind::amendment,
                                                StatementKind::derivation, StatementKind::manifest};
[[nodiscard]] std::string_view to_word(StatementKind kind);

/// What is signed (spec/seal.md 8). Holds no patient data.
struct Statement {
  std::string sop_class_uid;  // may be empty: not every object says it
  Digest header_root;
  std::uint64_t header_leaf_count = 0;
  std::optional<SealedPixels> pixels;
  std::string transfer_syntax_uid;  // at sealing
  std::optional<SealedEncoding> encoding;
  UnixTime claimed_at;
  std::string device;  // label, 1..64 bytes of UTF-8
  bool synthetic = false;
  bool derived = false;
  /// Forms of the file that readers take in different ways; ascending by kind (spec/seal.md 14).
  std::vector<canonical::AmbiguityKind> ambiguities = {};
  /// What values under UN were as text (spec/seal.md 5.7); absent in seals of before that rule.
  std::optional<Digest> untyped_text = {};
};

/// Deterministic CBOR.
[[nodiscard]] Bytes write_statement(const Statement& statement);
/// Errors: truncated, malformed (kind "statement"), unsupported (a later version).
[[nodiscard]] Result<Statement> read_statement(ByteView encoded);

/// Names what was sealed (spec/seal.md 8.2). Salts go into it, so sealing the same image twice
/// gives two roots.
[[nodiscard]] Digest object_root(const Statement& statement);

/// Content type of the COSE_Sign1 (label 3).
inline constexpr std::string_view statement_content_type = "application/fiducia-statement+cbor";

}  // namespace fiducia::evidence
