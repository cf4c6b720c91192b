// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/core.h"

/// Command sets (PS3.7 sections 6.3, 9.3, 10.3 and Annex E).
namespace fiducia::dimse {

/// Command Field (0000,0100). The response of a request has bit 15 set.
enum class CommandField : std::uint16_t {
  c_store_rq = 0x0001,
  c_get_rq = 0x0010,
  c_find_rq = 0x0020,
  c_move_rq = 0x0021,
  c_echo_rq = 0x0030,
  n_event_report_rq = 0x0100,
  n_get_rq = 0x0110,
  n_set_rq = 0x0120,
  n_action_rq = 0x0130,
  n_create_rq = 0x0140,
  n_delete_rq = 0x0150,
  c_cancel_rq = 0x0FFF,  // has no response of its own
  c_store_rsp = 0x8001,
  c_get_rsp = 0x8010,
  c_find_rsp = 0x8020,
  c_move_rsp = 0x8021,
  c_echo_rsp = 0x8030,
  n_event_report_rsp = 0x8100,
  n_get_rsp = 0x8110,
  n_set_rsp = 0x8120,
  n_action_rsp = 0x8130,
  n_create_rsp = 0x8140,
  n_delete_rsp = 0x8150,
};
[[nodiscard]] constexpr bool is_response(CommandField field) {
  return (static_cast<std::uint16_t>(field) & 0x8000U) != 0;
}
/// The response to a request that has one.
[[nodiscard]] constexpr CommandField response_to(CommandField request) {
  return static_cast<CommandField>(static_cast<std::uint16_t>(request) | 0x8000U);
}
/// "C-STORE-RQ".
[[nodiscard]] std::string_view name(CommandField field);

/// Status (0000,0900), PS3.7 Annex C and PS3.4.
namespace status {
inline constexpr std::uint16_t success = 0x0000;
inline constexpr std::uint16_t processing_failure = 0x0110;
inline constexpr std::uint16_t duplicate_sop_instance = 0x0111;
inline constexpr std::uint16_t no_such_instance = 0x0112;
inline constexpr std::uint16_t sop_class_not_supported = 0x0122;
inline constexpr std::uint16_t not_authorized = 0x0124;
inline constexpr std::uint16_t duplicate_message_id = 0x0210;
inline constexpr std::uint16_t unrecognized_operation = 0x0211;
inline constexpr std::uint16_t mistyped_argument = 0x0212;
inline constexpr std::uint16_t out_of_resources = 0xA700;
inline constexpr std::uint16_t move_destination_unknown = 0xA801;
inline constexpr std::uint16_t data_set_does_not_match = 0xA900;
inline constexpr std::uint16_t sub_operations_failed = 0xB000;
inline constexpr std::uint16_t cannot_understand = 0xC000;
inline constexpr std::uint16_t cancelled = 0xFE00;
inline constexpr std::uint16_t pending = 0xFF00;
inline constexpr std::uint16_t pending_with_warning = 0xFF01;
}  // namespace status
[[nodiscard]] constexpr bool is_pending(std::uint16_t status) {
  return status == status::pending || status == status::pending_with_warning;
}
/// 0000, and warnings (PS3.7 section C.3): the operation was done.
[[nodiscard]] constexpr bool is_done(std::uint16_t status) {
  return status == status::success || (status & 0xF000U) == 0xB000U || status == 0x0001U ||
         status == 0x0107U || status == 0x0116U;
}

/// One command set. What is absent is not written; what a command may not have is refused by the
/// reader only where it changes what the command means.
struct Command {
  CommandField field = CommandField::c_echo_rq;
  /// (0000,0110) of a request, (0000,0120) of a response and of C-CANCEL.
  std::uint16_t message_id = 0;
  std::optional<std::string> affected_sop_class = {};      // (0000,0002)
  std::optional<std::string> requested_sop_class = {};     // (0000,0003)
  std::optional<std::string> affected_sop_instance = {};   // (0000,1000)
  std::optional<std::string> requested_sop_instance = {};  // (0000,1001)
  std::optional<std::uint16_t> priority = {};              // (0000,0700)
  bool has_data_set = false;                               // (0000,0800) is not 0101
  std::optional<std::uint16_t> status = {};                // (0000,0900)
  /// Tags of elements at fault (0000,0901), group before element.
  std::vector<std::uint32_t> offending_elements = {};
  std::optional<std::string> error_comment = {};              // (0000,0902), at most 64 bytes
  std::optional<std::uint16_t> error_id = {};                 // (0000,0903)
  std::optional<std::string> move_destination = {};           // (0000,0600)
  std::optional<std::string> move_originator = {};            // (0000,1030)
  std::optional<std::uint16_t> move_originator_message = {};  // (0000,1031)
  std::optional<std::uint16_t> event_type = {};               // (0000,1002)
  std::optional<std::uint16_t> action_type = {};              // (0000,1008)
  std::optional<std::uint16_t> remaining = {};                // (0000,1020)
  std::optional<std::uint16_t> completed = {};                // (0000,1021)
  std::optional<std::uint16_t> failed = {};                   // (0000,1022)
  std::optional<std::uint16_t> warned = {};                   // (0000,1023)
  bool operator==(const Command&) const = default;
};

/// Reads a command set: implicit VR little endian, group 0000 alone, tags in order, each once,
/// group length first and right. Elements that PS3.7 has retired, or that we do not use, are
/// skipped. Errors: malformed (kind "command": also where an element is missing that the command
/// must have, or the data set that it must or must not have is announced otherwise; kinds "uid",
/// "ae_title").
[[nodiscard]] Result<Command> read_command(ByteView bytes);

/// Errors: usage_invalid (the reader would refuse it).
[[nodiscard]] Result<Bytes> write_command(const Command& command);

/// The response to `request` with this status, without a data set: message ID and UIDs as PS3.7
/// demands them. `comment` is cut to the 64 characters that fit (0000,0902) and loses what is no
/// printable ASCII.
[[nodiscard]] Command respond(const Command& request, std::uint16_t status,
                              std::string_view comment = {});

}  // namespace fiducia::dimse
