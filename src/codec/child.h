// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <memory>
#include <string>

#include "codec/codestream.h"
#include "codec/geometry.h"

namespace fiducia::codec {

/// What a decode gave back: see codec::Frame for the meaning of the fields.
struct Decoded {
  ByteView samples;  // in memory shared with the child; valid until the next decode
  bool lossless = true;
  std::string photometric_interpretation;
  std::string decoder;
  Oddities oddities = {};
};

/// The sandboxed decoder process `fiducia-codec`: no files, no network, bounded memory and time.
/// Started at the first decode, kept warm, started anew after it died. Not thread-safe; one a
/// worker.
class CodecChild {
 public:
  /// `program` is the path of fiducia-codec. Nothing is started yet. A frame that takes longer
  /// than `timeout_ms` costs the child its life.
  explicit CodecChild(std::filesystem::path program,
                      std::uint32_t timeout_ms = limits::decode_timeout_ms);
  CodecChild(CodecChild&&) noexcept;
  CodecChild& operator=(CodecChild&&) noexcept;
  ~CodecChild();

  /// Decodes one frame given as pieces of its codestream. `renditions_follow`: decode_again() will
  /// be called for it, which is fast then. Errors: codec_missing (no program, or it lacks this
  /// codec), codec_failed (refused, died, out of time or memory), over_limit.
  [[nodiscard]] Result<Decoded> decode(dicom::PixelEncoding encoding, const Geometry& geometry,
                                       std::span<const ByteView> pieces,
                                       bool renditions_follow = false);
  /// The frame decoded last, in another rendition. Errors: as decode(); codec_failed when it has
  /// but one.
  [[nodiscard]] Result<Decoded> decode_again(Rendition rendition);
  /// How much processor time, in ns, it may take from now on: when that is gone it is killed, and
  /// the frame is over_limit. No limit at first.
  void limit_time(std::uint64_t ns);
  /// What is left of it.
  [[nodiscard]] std::uint64_t time_left() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Where fiducia-codec is to be found: FIDUCIA_CODEC in the environment, else beside the running
/// program, else in `../libexec/fiducia` from it.
[[nodiscard]] std::filesystem::path codec_program();

}  // namespace fiducia::codec
