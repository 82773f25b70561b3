using System.Text;
using System.Text.Unicode;

namespace Broker.Grains.Interfaces.Topics;

/// <summary>The rules every UTF-8 string of the protocol obeys. [MQTT-1.5.4]</summary>
public static class MqttText
{
    /// <summary>Decodes and encodes without replacement characters, so that nothing is mended silently.</summary>
    public static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>True for well-formed UTF-8, whatever it says: a payload that was declared to be text. [MQTT-3.3.2.3.2]</summary>
    public static bool IsUtf8(ReadOnlySpan<byte> bytes) => Utf8.IsValid(bytes);

    /// <summary>True for well-formed UTF-8 (no overlong form, no surrogate [MQTT-1.5.4-1]) without NUL [MQTT-1.5.4-2].</summary>
    public static bool IsValid(ReadOnlySpan<byte> utf8) => !utf8.Contains((byte)0) && Utf8.IsValid(utf8);
}
