namespace Broker.Grains.Interfaces.Topics;

/// <summary>How a topic name or filter falls into levels.</summary>
public static class TopicLevels
{
    /// <summary>Separates levels; leading, trailing and doubled ones make empty levels. [MQTT-4.7.3-4]</summary>
    public const byte Separator = (byte)'/';

    /// <summary>How many levels there are: separators plus one.</summary>
    public static int Count(ReadOnlySpan<byte> utf8) => utf8.Count(Separator) + 1;

    /// <summary>The first <paramref name="levels"/> levels, or the whole if it has no more.</summary>
    public static ReadOnlySpan<byte> Prefix(ReadOnlySpan<byte> utf8, int levels)
    {
        for (var at = 0; at < utf8.Length; at++)
        {
            if (utf8[at] == Separator && --levels == 0) return utf8[..at];
        }

        return utf8;
    }
}
