using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Broker.Grains.Interfaces.Topics;

/// <summary>The topic name of an application message: what a publisher wrote, checked once, shared from then on.</summary>
/// <remarks>Kept as UTF-8, the form in which it arrives, is matched and leaves. Immutable; safe to share between threads.</remarks>
[GenerateSerializer, Immutable, Alias("TopicName")]
public sealed class TopicName : IEquatable<TopicName>
{
    /// <summary>Longest topic name or filter in bytes: its length travels in two bytes. [MQTT-4.7.3-3]</summary>
    public const int MaxBytes = 65_535;

    [Id(0)]
    private readonly byte[] utf8;

    [NonSerialized]
    private string? text;

    [NonSerialized]
    private int hash;

    private TopicName(byte[] utf8) => this.utf8 = utf8;

    /// <summary>The name as it travels, without its length prefix.</summary>
    public ReadOnlySpan<byte> Utf8 => utf8;

    /// <summary>The name as text; made at the first call and kept.</summary>
    public string Text => text ??= Encoding.UTF8.GetString(utf8);

    /// <summary>True for `$SYS/…` and its like, which a leading wildcard does not match. [MQTT-4.7.2-1]</summary>
    public bool StartsWithDollar => utf8[0] == (byte)'$';

    /// <summary>True for `$SYS/…`, where the broker speaks of itself.</summary>
    public bool IsSystem => utf8.AsSpan().StartsWith("$SYS/"u8);

    /// <summary>How many levels the name has; `/` alone has two.</summary>
    public int LevelCount => TopicLevels.Count(utf8);

    /// <summary>Reads a topic name from its wire form.</summary>
    /// <param name="utf8">The bytes without the length prefix; copied.</param>
    /// <param name="name">The name; null when the result is false.</param>
    /// <returns>False for empty or overlong input, bad UTF-8, NUL or a wildcard; never throws.
    /// Implements [MQTT-3.3.2-1], [MQTT-3.3.2-2], [MQTT-4.7.0-1], [MQTT-4.7.3-1], [MQTT-4.7.3-2], [MQTT-1.5.4-1], [MQTT-1.5.4-2].</returns>
    public static bool TryParse(ReadOnlySpan<byte> utf8, [NotNullWhen(true)] out TopicName? name)
    {
        name = null;
        if (utf8.IsEmpty || utf8.Length > MaxBytes || utf8.IndexOfAny((byte)'+', (byte)'#', (byte)0) >= 0 || !MqttText.IsValid(utf8))
        {
            return false;
        }

        name = new TopicName(utf8.ToArray());
        return true;
    }

    /// <summary>A topic name from text known to be right, such as a constant or what was parsed before.</summary>
    /// <exception cref="FormatException">The text is no topic name.</exception>
    public static TopicName Parse(string text)
    {
        try
        {
            if (TryParse(MqttText.Strict.GetBytes(text), out var name)) return name;
        }
        catch (EncoderFallbackException)
        {
            // A lone surrogate: told like every other fault.
        }

        throw new FormatException($"'{text}' is not a topic name.");
    }

    /// <inheritdoc/>
    public bool Equals(TopicName? other) =>
        ReferenceEquals(this, other) || (other is not null && GetHashCode() == other.GetHashCode() && utf8.AsSpan().SequenceEqual(other.utf8));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as TopicName);

    /// <inheritdoc/>
    /// <remarks>Differs from process to process, as clients choose topics (<see cref="SeededHash"/>); computed once.</remarks>
    public override int GetHashCode() => hash != 0 ? hash : hash = SeededHash.Of(utf8) | 1;

    /// <inheritdoc/>
    public override string ToString() => Text;
}
