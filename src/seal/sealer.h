// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "canonical/canonical.h"
#include "codec/codec.h"
#include "core/core.h"
#include "crypto/crypto.h"
#include "dicom/dicom.h"
#include "evidence/lookup.h"
#include "finding/finding.h"
#include "ledger_format/ledger_format.h"
#include "seal/result.h"

namespace fiducia::seal {

/// Who seals.
struct Signer {
  std::shared_ptr<const crypto::SigningKey> key;
  std::vector<crypto::Certificate> chain;  // end entity first; what x5chain will carry
  std::string device;                      // label in the statement
};

/// An object that is signed but not yet in the ledger. Movable.
class Draft {
 public:
  /// The entry to append to the ledger (encoded).
  [[nodiscard]] const Bytes& ledger_entry() const;
  [[nodiscard]] const Digest& object_root() const;
  [[nodiscard]] const std::string& sop_instance_uid() const;
  [[nodiscard]] const canonical::Sketch& sketch() const;
  /// Things the person who seals should know (e.g. samples not sealed because a codec is
  /// missing), as findings of severity note or warning.
  [[nodiscard]] const std::vector<finding::Finding>& findings() const;
  /// The evidence, once the ledger has answered. `time_stamps`: tokens over `checkpoint`, at most
  /// limits::time_stamps_max.
  [[nodiscard]] Bytes finish(const ledger_format::Appended& appended, std::string_view checkpoint,
                             std::span<const Bytes> time_stamps = {}) const;

  Draft(Draft&&) noexcept;
  Draft& operator=(Draft&&) noexcept;
  ~Draft();
  struct State;
  explicit Draft(std::unique_ptr<State> state);

 private:
  std::unique_ptr<State> state_;
};

/// Computes the canonical form of `file`, signs it. Thread-safe for different `child`.
/// `child` may be null (then only encodings that need no child get their samples sealed; the
/// encoded frames always are). `sketch` may be null.
/// Errors: malformed (pixel data shorter than the header says, kind "pixel_data"), over_limit,
/// codec_failed, crypto_failed, io_unreadable (the file shrank while it was read).
[[nodiscard]] Result<Draft> draft_seal(const dicom::File& file, const Signer& signer,
                                       UnixTime claimed_at, codec::CodecChild* child,
                                       canonical::SketchBuilder* sketch);

}  // namespace fiducia::seal
