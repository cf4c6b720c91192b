// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "canonical/header.h"
#include "core/core.h"
#include "dicom/dicom.h"
#include "finding/finding.h"

namespace fiducia::canonical {

/// Forms in which common readers (DCMTK, GDCM, pydicom and what is built on them) can read the same
/// bytes differently (spec/seal.md 14, which gives the reason of each). The numbers are in
/// statements.
enum class AmbiguityKind : std::uint8_t {
  other_encoding = 1,     // the data set is not in the encoding that the file names
  two_readings = 2,       // it reads in two encodings, or looks like another one at its start
  meta_information = 3,   // group 0002 is not what PS3.10 7.1 asks for
  standard_under_un = 4,  // explicit VR says UN for an attribute that dictionaries know
  unknown_vr = 5,         // letters that are no VR of PS3.5
  value_length = 6,       // odd, or no multiple of the VR's unit
  nul_in_text = 7,        // NUL before the end of a text value
  foreign_vr = 8,         // a VR that reads otherwise than those that PS3.6 allows
  form_without_leaf = 9,  // what has no leaf, in another form than its one exact one
  misplaced = 10,         // an element of a group that has no place in a data set
  duplicate = 11,         // a tag that stands twice in a data set
  delimiter = 12,         // delimiters with a length, or after something of defined length
  surplus_bytes = 13,     // bytes after the end of the (deflated) data set
  pixel_data_form = 14,   // Pixel Data is in fragments or not, against the transfer syntax
  pixel_data_vr = 15,     // Pixel Data under a VR that PS3.5 8 and A.4 do not allow for it
  character_set = 16,     // text in a set with unknown terms, or in one that only its item has
  sign_by_place = 17,     // US or SS in implicit VR before what says which, or apart from it
  order = 19,             // a sequence before its character set, or anything behind Pixel Data
};

/// One such place.
struct Ambiguity {
  AmbiguityKind kind = AmbiguityKind::two_readings;
  Bytes place;  // canonical path; empty for the file as a whole
};

/// The ambiguities of a file; `header` is its canonical header (of either side). Ordered by kind,
/// then by place; each place once.
[[nodiscard]] std::vector<Ambiguity> find_ambiguities(const dicom::File& file,
                                                      const CanonicalHeader& header);

/// The runs of one kind each; none is empty.
[[nodiscard]] std::vector<std::span<const Ambiguity>> by_kind(
    std::span<const Ambiguity> ambiguities);

/// Whether all standard attributes of the file are under UN, as a tool leaves them that writes an
/// implicit VR data set in explicit VR without a dictionary. Attributes of the picture's form
/// (groups 0028 and 7FE0), which such a tool writes anew, may have their VR.
[[nodiscard]] bool is_all_under_un(const dicom::DataSet& data_set);

/// One finding for each kind, `reading.ambiguous`: what it is, where it is met first, how often.
[[nodiscard]] finding::Finding ambiguity_finding(std::span<const Ambiguity> of_one_kind,
                                                 finding::Severity severity);

/// The findings about a preamble that other programs may run or show: `preamble.executable`
/// (warning) and `preamble.tiff` (note).
void add_preamble_findings(const dicom::File& file, std::vector<finding::Finding>& findings);

}  // namespace fiducia::canonical
