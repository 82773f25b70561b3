using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Broker.Gateway.Cli;

/// <summary>JSON that is written for the API, and for scripts.</summary>
internal static class JsonText
{
    /// <summary>For terminals and files, not for pages: only what JSON itself forbids is escaped.</summary>
    public static JsonWriterOptions Plain { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Write(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Plain)) write(json);
        return Encoding.UTF8.GetString(buffer.GetBuffer().AsSpan(0, (int)buffer.Length));
    }
}
