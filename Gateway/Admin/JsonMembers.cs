using System.Globalization;
using System.Text.Json;
using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.Admin;

/// <summary>Reads members of JSON objects that callers send.</summary>
internal static class JsonMembers
{
    /// <summary>A member as text; what is no text as JSON. Null if there is none.</summary>
    public static string? Text(this JsonElement body, string name) => body.ValueKind != JsonValueKind.Object || !body.TryGetProperty(name, out var value) ? null : value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.Undefined => null,
        JsonValueKind.String => value.GetString(),
        _ => value.GetRawText(),
    };

    /// <summary>A member that must be text; null if there is none, or it is something else.</summary>
    public static string? OnlyText(this JsonElement body, string name) =>
        body.ValueKind == JsonValueKind.Object && body.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>The member `qos`, 0 without one.</summary>
    /// <exception cref="ApiException">It is none.</exception>
    public static Qos Qos(this JsonElement body) => body.Text("qos") is not { } text ? default
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= 2 ? (Qos)number
        : throw new ApiException(ResultCode.BadQos, "bad_qos");
}
