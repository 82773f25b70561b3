using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Unicode;
using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.Admin;

/// <summary>Reads members of JSON objects that callers send, and writes what is JSON already.</summary>
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

    /// <summary>Whether all of its strings are text: JSON may hold bytes that are no UTF-8, and escapes of half a character, which can be parsed but not read.</summary>
    public static bool IsText(this JsonElement body)
    {
        var json = JsonMarshal.GetRawUtf8Value(body);
        if (!Utf8.IsValid(json)) return false;
        try
        {
            for (var reader = new Utf8JsonReader(json); reader.Read();)
            {
                if (reader.ValueIsEscaped) reader.GetString();
            }

            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>Writes what is JSON already. Its characters are written as this writer does it, so that people and scripts find `a/+` where it stands, and not `a/\u002B`.</summary>
    public static void WriteRow(this Utf8JsonWriter json, byte[] row)
    {
        if (row.AsSpan().IndexOf("\\u"u8) < 0)
        {
            json.WriteRawValue(row, skipInputValidation: true);
            return;
        }

        using var parsed = JsonDocument.Parse(row);
        parsed.RootElement.WriteTo(json);
    }

    /// <summary>The topics of `topic`, or else of `topics`, which are separated by commas; none if they are no text.</summary>
    public static string[] Topics(this JsonElement body) =>
        (body.OnlyText(body.Text("topic") is null ? "topics" : "topic") ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    /// <summary>The member `qos`, 0 without one.</summary>
    /// <exception cref="ApiException">It is none.</exception>
    public static Qos Qos(this JsonElement body) => body.Text("qos") is not { } text ? default
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= 2 ? (Qos)number
        : throw new ApiException(ResultCode.BadQos, "bad_qos");
}
