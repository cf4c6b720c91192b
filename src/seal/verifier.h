// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "canonical/canonical.h"
#include "codec/codec.h"
#include "core/core.h"
#include "dicom/dicom.h"
#include "evidence/lookup.h"
#include "seal/result.h"
#include "trust/trust_file.h"

namespace fiducia::seal {

struct VerifierOptions {
  /// The moment for which the question is asked: seals dated later do not count;
  /// revocations, cosignatures and time-stamps from later are not known yet. Absent: all of them
  /// count; the time of verification never matters.
  std::optional<UnixTime> at;
  /// Fill Finding::current_value with attribute values (patient data!).
  bool show_values = false;
  /// Look for `FILE.evidence` beside the file. Off where evidence was given: then file, evidence,
  /// trust file and `at` alone decide, and the result is the same anywhere and at any time.
  bool look_beside = true;
};

/// Verifies files against evidence. Thread-safe: workers share one Verifier (it remembers
/// certificate chains, receipts and checkpoints that it has already checked).
class Verifier {
 public:
  /// `lookup` may be null (no store) and must outlive the verifier. `given` is the content of
  /// evidence files named by the user. Errors: malformed, when one of `given` is not evidence.
  [[nodiscard]] static Result<Verifier> make(trust::Trust trust, VerifierOptions options,
                                             evidence::EvidenceLookup* lookup,
                                             std::vector<Bytes> given = {});

  /// Opens and judges one file. A file that cannot be read as DICOM is a verdict (`malformed`,
  /// or `indeterminate` past a limit). `child` may be null. Errors: io_unreadable; those of the
  /// store.
  [[nodiscard]] Result<VerifyResult> verify(const std::filesystem::path& path,
                                            codec::CodecChild* child) const;
  /// Judges an open file (no look beside it when its name is not a path).
  [[nodiscard]] Result<VerifyResult> verify(const dicom::File& file,
                                            codec::CodecChild* child) const;
  /// The same for who needs what was decoded for it afterwards.
  [[nodiscard]] Result<VerifyResult> verify(canonical::ObjectDecoder& decoder) const;

  /// Whether a seal holds and is accepted, whatever the image says: what sealing asks before it
  /// calls an image sealed. Errors: signature_bad, with the first finding; those of read_evidence.
  [[nodiscard]] Status check_seal(ByteView evidence) const;

  /// The evidence that `verify` would judge this file by, undecoded: what `export` writes.
  /// Absent when there is none.
  [[nodiscard]] Result<std::optional<Bytes>> find_evidence(const dicom::File& file) const;

  Verifier(Verifier&&) noexcept;
  Verifier& operator=(Verifier&&) noexcept;
  ~Verifier();

 private:
  struct State;
  explicit Verifier(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// The result for a file that could not be opened as DICOM: `malformed` with `malformed.<what>`,
/// or `indeterminate` with `limit.reached`. Absent for errors that are no verdict (I/O).
[[nodiscard]] std::optional<VerifyResult> verdict_of_error(const std::string& path,
                                                           const Error& error);

}  // namespace fiducia::seal
