// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <optional>

#include "cli/cli.h"
#include "dicom/dicom.h"
#include "sealing/sealing.h"

namespace fiducia::app {

/// Where the evidence of a file ends up besides the store.
enum class EvidencePlace { store, file, sidecar };
[[nodiscard]] std::string_view to_word(EvidencePlace place);
[[nodiscard]] EvidencePlace evidence_place(const cli::SealOptions& options);

/// The file that `seal` writes for an input: the copy below --out, the input itself (links
/// resolved), its sidecar, or none.
/// `sop_instance_uid` names the copy of standard input. Errors: usage_invalid, when a copy would
/// replace its source.
[[nodiscard]] Result<std::optional<std::filesystem::path>> output_path(
    const cli::SealOptions& options, const sealing::Input& input,
    std::string_view sop_instance_uid);

/// Whether `target` may be written for this input: a copy replaces only an image of the same
/// identity, a sidecar only evidence. Asked before the ledger. Errors: usage_invalid.
[[nodiscard]] Status check_target(const cli::SealOptions& options, const sealing::Input& input,
                                  const std::filesystem::path& target,
                                  std::string_view sop_instance_uid);

/// Writes the copy of `file` that carries `evidence`, whole or not at all; folders are made. Closes
/// `file`. Errors: io_unwritable; those of embed_parts.
[[nodiscard]] Status write_copy(const cli::SealOptions& options, const sealing::Input& input,
                                std::optional<dicom::File> file, ByteView evidence,
                                const std::filesystem::path& target);

/// Writes FILE.evidence. Errors: io_unwritable.
[[nodiscard]] Status write_sidecar(const sealing::Input& input, ByteView evidence,
                                   const std::filesystem::path& target);

/// Whether these inputs and options fit together, before anything is sealed. `home`: nothing is
/// written below it. Errors: usage_invalid.
[[nodiscard]] Status check_outputs(const cli::SealOptions& options,
                                   const std::vector<sealing::Input>& inputs,
                                   const std::filesystem::path& home);

}  // namespace fiducia::app
