using System.Diagnostics;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;

namespace Broker.Gateway.Links;

/// <summary>Decides which of the messages that a loop's clients publish are traced. On its loop only.</summary>
/// <param name="ratio">The part of all messages, 0 to 1.</param>
/// <param name="followsPublishers">Whether those are traced too whose publisher traces them.</param>
internal sealed class MessageSampler(double ratio, bool followsPublishers)
{
    private readonly Random random = new();
    private long left = long.MinValue;

    /// <summary>Begins the trace of a message, if it is one of those.</summary>
    /// <param name="message">Carries its trace then.</param>
    /// <returns>What ends when the message has been handed on; null if it is not traced.</returns>
    public MessageActivity? Begin(ref ApplicationMessage message)
    {
        if (left == long.MinValue) left = Next();
        var isDue = --left <= 0;
        if (isDue) left = Next();
        var parent = followsPublishers && message.Properties is { User.Length: > 0 } properties ? ParentOf(properties) : null;
        return isDue || parent is not null ? MessageActivities.Receive(ref message, parent) : null;
    }

    /// <summary>How many messages up to the next: as if each had been drawn by itself.</summary>
    private long Next() => ratio switch
    {
        <= 0 => long.MaxValue,
        >= 1 => 1,
        _ => Math.Max(1, (long)Math.Ceiling(Math.Log(1 - random.NextDouble()) / Math.Log(1 - ratio))),
    };

    /// <summary>The publisher's own step, if it records it.</summary>
    private static string? ParentOf(MessageProperties properties)
    {
        foreach (var (name, value) in properties.User)
        {
            if (name != "traceparent") continue;
            return ActivityContext.TryParse(value, null, isRemote: true, out var context) && (context.TraceFlags & ActivityTraceFlags.Recorded) != 0 ? value : null;
        }

        return null;
    }
}
