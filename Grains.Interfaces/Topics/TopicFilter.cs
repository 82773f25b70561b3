using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Broker.Grains.Interfaces.Topics;

/// <summary>A topic filter as a client wrote it, checked: `a/+/b`, `a/#`, `$share/group/a/#`, `$queue/a`, `$exclusive/a`.</summary>
/// <remarks>Immutable. The default value is no filter; every other one came through <see cref="TryParse(string, out TopicFilter)"/>.</remarks>
[GenerateSerializer, Immutable, Alias("TopicFilter")]
public readonly struct TopicFilter : IEquatable<TopicFilter>
{
    private const string SharePrefix = "$share/";
    private const string QueuePrefix = "$queue/";
    private const string ExclusivePrefix = "$exclusive/";

    [Id(0)]
    private readonly string text;

    [Id(1)]
    private readonly int pathStart;

    private TopicFilter(string text, int pathStart)
    {
        this.text = text;
        this.pathStart = pathStart;
    }

    /// <summary>The whole filter, prefix included.</summary>
    public string Text => text;

    /// <summary>What is matched: the filter without `$share/…/`, `$queue/` or `$exclusive/`.</summary>
    public string Path => pathStart == 0 ? text : text[pathStart..];

    /// <summary>True for `$share/…` and `$queue/…`.</summary>
    public bool IsShared => pathStart != 0 && !IsExclusive;

    /// <summary>True for `$exclusive/…`, to which one session in the cluster may be subscribed.</summary>
    public bool IsExclusive => pathStart == ExclusivePrefix.Length && text.StartsWith(ExclusivePrefix, StringComparison.Ordinal);

    /// <summary>True for both: each subscriber is a member of a group, with a route of its own.</summary>
    public bool IsGrouped => pathStart != 0;

    /// <summary>The share name; `$queue` for `$queue/…`, which is one group of its own; null when not shared.</summary>
    public string? ShareName => !IsShared ? null
        : text.StartsWith(QueuePrefix, StringComparison.Ordinal) ? "$queue"
        : text[SharePrefix.Length..(pathStart - 1)];

    /// <summary>True if the path holds `+` or `#`.</summary>
    public bool HasWildcard => text.AsSpan(pathStart).IndexOfAny('+', '#') >= 0;

    /// <summary>Reads a topic filter from its wire form.</summary>
    /// <param name="utf8">1 to 65,535 bytes, without the length prefix; not kept after the call.</param>
    /// <param name="filter">The filter; default when the result is false.</param>
    /// <returns>False for empty input, NUL, bad UTF-8, a misplaced wildcard or a malformed share prefix; never throws.
    /// Implements [MQTT-4.7.1-1], [MQTT-4.7.1-2], [MQTT-4.7.3-1], [MQTT-4.7.3-2], [MQTT-4.7.3-3], [MQTT-4.8.2-1], [MQTT-4.8.2-2].</returns>
    public static bool TryParse(ReadOnlySpan<byte> utf8, out TopicFilter filter)
    {
        filter = default;
        return !utf8.IsEmpty && utf8.Length <= TopicName.MaxBytes && MqttText.IsValid(utf8)
            && TryAccept(Encoding.UTF8.GetString(utf8), out filter);
    }

    /// <summary>The same for text; also false when its UTF-8 form is over 65,535 bytes or it holds a lone surrogate.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out TopicFilter filter)
    {
        filter = default;
        if (string.IsNullOrEmpty(text) || text.Contains('\0')) return false;
        try
        {
            return MqttText.Strict.GetByteCount(text) <= TopicName.MaxBytes && TryAccept(text, out filter);
        }
        catch (EncoderFallbackException)
        {
            return false;
        }
    }

    /// <summary>A filter from text known to be right.</summary>
    /// <exception cref="FormatException">The text is no topic filter.</exception>
    public static TopicFilter Parse(string text) =>
        TryParse(text, out var filter) ? filter : throw new FormatException($"'{text}' is not a topic filter.");

    /// <summary>Whether a topic matches, decided level by level. Slow and plain: for tests and rare questions, not for routing.</summary>
    public bool Matches(TopicName topic) => Matches(topic.Text);

    /// <summary>The same for text, which may be a filter's path: then its wildcards are levels like any other.</summary>
    public bool Matches(string topic)
    {
        var path = Path.Split('/');
        if (topic.StartsWith('$') && (path[0] is "+" or "#")) return false; // [MQTT-4.7.2-1]
        var levels = topic.Split('/');
        for (var i = 0; i < path.Length; i++)
        {
            if (path[i] == "#") return true; // also matches the parent level [MQTT-4.7.1.2]
            if (i == levels.Length || (path[i] != "+" && path[i] != levels[i])) return false;
        }

        return path.Length == levels.Length;
    }

    /// <inheritdoc/>
    public bool Equals(TopicFilter other) => text == other.text;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is TopicFilter other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => text?.GetHashCode(StringComparison.Ordinal) ?? 0;

    /// <inheritdoc/>
    public override string ToString() => text ?? "";

    public static bool operator ==(TopicFilter left, TopicFilter right) => left.Equals(right);

    public static bool operator !=(TopicFilter left, TopicFilter right) => !left.Equals(right);

    private static bool TryAccept(string text, out TopicFilter filter)
    {
        filter = default;
        if (!TryFindPath(text, out var pathStart)) return false;
        var path = text.AsSpan(pathStart);
        if (path.IsEmpty || !HasWellPlacedWildcards(path)) return false;
        // EMQ X refuses a share inside a share; the standard leaves such a name without meaning.
        if (pathStart != 0 && (path.StartsWith(SharePrefix) || path.StartsWith(QueuePrefix) || path.StartsWith(ExclusivePrefix))) return false;
        filter = new TopicFilter(text, pathStart);
        return true;
    }

    private static bool TryFindPath(string text, out int pathStart)
    {
        pathStart = 0;
        if (text.StartsWith(QueuePrefix, StringComparison.Ordinal))
        {
            pathStart = QueuePrefix.Length;
            return true;
        }

        if (text.StartsWith(ExclusivePrefix, StringComparison.Ordinal))
        {
            pathStart = ExclusivePrefix.Length;
            return true;
        }

        if (text == "$share" || !text.StartsWith(SharePrefix, StringComparison.Ordinal)) return text != "$share";
        var end = text.IndexOf('/', SharePrefix.Length);
        if (end <= SharePrefix.Length) return false; // the share name has at least one character [MQTT-4.8.2-1]
        pathStart = end + 1;
        return text.AsSpan(SharePrefix.Length, end - SharePrefix.Length).IndexOfAny('+', '#') < 0; // [MQTT-4.8.2-2]
    }

    private static bool HasWellPlacedWildcards(ReadOnlySpan<char> path)
    {
        for (var at = 0; at < path.Length; at++)
        {
            if (path[at] is not ('+' or '#')) continue;
            if (at > 0 && path[at - 1] != '/') return false;
            var last = at == path.Length - 1;
            if (path[at] == '#' ? !last : !last && path[at + 1] != '/') return false;
        }

        return true;
    }
}
