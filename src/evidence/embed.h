// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "canonical/own_block.h"
#include "core/core.h"
#include "dicom/dicom.h"

namespace fiducia::evidence {

/// The evidence that a file carries in its private block, padding included (read_evidence_file
/// takes it off); absent when there is none. Borrows from `data_set`.
[[nodiscard]] std::optional<ByteView> find_embedded(const dicom::DataSet& data_set);

/// Whether a copy of `file` can carry evidence. Errors: over_limit (no free private block);
/// unsupported, when `file` ends inside a sequence, so that what is put behind would be part of it,
/// or has our private creator more than once.
[[nodiscard]] Status check_can_embed(const dicom::File& file);

/// The parts of a copy of `file` that carries `evidence` (and no older one); everything else is
/// byte for byte what `file` holds. Parts borrow from `file`, `evidence` and `storage`.
/// Errors: those of check_can_embed.
[[nodiscard]] Result<std::vector<ByteView>> embed_parts(const dicom::File& file, ByteView evidence,
                                                        std::vector<Bytes>& storage);

/// `FILE.evidence` beside `FILE`.
[[nodiscard]] std::filesystem::path sidecar_path(const std::filesystem::path& file);

}  // namespace fiducia::evidence
