// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <optional>

#include "dicom/dicom.h"
#include "inputs.h"
#include "options.h"

namespace fiducia::app {

/// Where the evidence of a file ends up besides the store.
enum class EvidencePlace { store, file, sidecar };
[[nodiscard]] std::string_view to_word(EvidencePlace place);
[[nodiscard]] EvidencePlace evidence_place(const SealOptions& options);

/// The file that `seal` writes for an input: the copy below --out, the input itself (links
/// resolved), its sidecar, or none.
/// `sop_instance_uid` names the copy of standard input. Errors: usage_invalid, when a copy would
/// replace its source.
[[nodiscard]] Result<std::optional<std::filesystem::path>> output_path(
    const SealOptions& options, const Input& input, std::string_view sop_instance_uid);

/// Whether `target` may be written for this input: a copy replaces only an image of the same
/// identity, a sidecar only evidence. Asked before the ledger. Errors: usage_invalid.
[[nodiscard]] Status check_target(const SealOptions& options, const Input& input,
                                  const std::filesystem::path& target,
                                  std::string_view sop_instance_uid);

/// Writes the copy of `file` that carries `evidence`, whole or not at all; folders are made. Closes
/// `file`. Errors: io_unwritable; those of embed_parts.
[[nodiscard]] Status write_copy(const SealOptions& options, const Input& input,
                                std::optional<dicom::File> file, ByteView evidence,
                                const std::filesystem::path& target);

/// Writes FILE.evidence. Errors: io_unwritable.
[[nodiscard]] Status write_sidecar(const Input& input, ByteView evidence,
                                   const std::filesystem::path& target);

/// Whether these inputs and options fit together, before anything is sealed. `home`: nothing is
/// written below it. Errors: usage_invalid.
[[nodiscard]] Status check_outputs(const SealOptions& options, const std::vector<Input>& inputs,
                                   const std::filesystem::path& home);

}  // namespace fiducia::app
