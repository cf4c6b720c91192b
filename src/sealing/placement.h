// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "core/core.h"
#include "dicom/dicom.h"

namespace fiducia::sealing {

/// Where the evidence of an object ends up besides the store.
enum class EvidencePlace : std::uint8_t { store, file, sidecar };
[[nodiscard]] std::string_view to_word(EvidencePlace place);

/// Puts the evidence of one object where its owner wants it. Thread safety: one thread at a time.
class Placement {
 public:
  virtual ~Placement() = default;
  [[nodiscard]] virtual EvidencePlace place() const = 0;
  /// Whether it can write for this object: asked before the ledger, and again each time the object
  /// is judged again. Errors: usage_invalid (something else would be replaced), io_unreadable;
  /// those of evidence::check_can_embed.
  [[nodiscard]] virtual Status check(const dicom::File& file) = 0;
  /// The file that it writes, once `check` has said yes; empty: none.
  [[nodiscard]] virtual std::filesystem::path target() const = 0;
  /// Writes, whole or not at all. `file`: the object as it was sealed, where place() is `file`; it
  /// is closed as early as can be. Errors: io_unwritable.
  [[nodiscard]] virtual Status write(std::optional<dicom::File> file, ByteView evidence) = 0;
};

/// A copy of the file `source` at `target`, with its permissions. Folders are made. A copy replaces
/// nothing but an image of the same identity, and never its source.
[[nodiscard]] std::shared_ptr<Placement> copy_at(std::filesystem::path source,
                                                 std::filesystem::path target);

/// A copy in `folder` of an object that is no file, called by its SOP Instance UID; for its owner's
/// eyes. `name`: what messages call the object.
[[nodiscard]] std::shared_ptr<Placement> copy_in(std::filesystem::path folder, std::string name);

/// The file itself, links resolved, with its owner and permissions.
[[nodiscard]] std::shared_ptr<Placement> in_place(std::filesystem::path file);

/// `FILE.evidence` beside FILE; it replaces nothing but evidence.
[[nodiscard]] std::shared_ptr<Placement> beside(std::filesystem::path file);

/// The bytes of a copy go to `take`, for an owner who keeps them in memory or sends them on.
/// Errors of writing: those of `take`.
[[nodiscard]] std::shared_ptr<Placement> handed_over(std::function<Status(Bytes copy)> take);

}  // namespace fiducia::sealing
