using System.Globalization;
using System.Text.Json.Serialization;
using Broker.Grains.Interfaces.Topics;

namespace Broker.Grains.Interfaces.Sessions;

/// <summary>A subscription as EMQ X 4.x's HTTP API shows it.</summary>
/// <param name="Topic">The filter; a shared one begins with `$share/` and its group, which is `$queue` for `$queue/…`.</param>
public sealed record SubscriptionRow(string Node, [property: JsonPropertyName("clientid")] string ClientId, string Topic, int Qos)
{
    public static SubscriptionRow Of(string node, string clientId, in TopicFilter filter, in SubscriptionOptions options) =>
        new(node, clientId, filter.ShareName is { } group ? $"$share/{group}/{filter.Path}" : filter.Text, (int)options.Qos);
}

/// <summary>What a list of subscriptions is to hold: all filters must agree. Names are EMQ X 4.x's.</summary>
public sealed class SubscriptionFilter
{
    private readonly string? clientId;
    private readonly string? topic;
    private readonly string? share;
    private readonly TopicFilter? match;
    private readonly int? qos;

    /// <exception cref="FormatException">A value is not of its filter's type; the message says which.</exception>
    public SubscriptionFilter(IEnumerable<KeyValuePair<string, string>> filters)
    {
        foreach (var (name, value) in filters)
        {
            switch (name)
            {
                case "clientid": clientId = value; break;
                case "topic": topic = value; break;
                case "share": share = value; break;
                case "qos": qos = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw new FormatException($"Can't convert {value} to integer type"); break;
                case "_match_topic": match = TopicFilter.TryParse(value, out var filter) ? filter : throw new FormatException($"'{value}' is no topic filter"); break;
            }
        }
    }

    /// <summary>The parameters that are filters.</summary>
    public static IReadOnlySet<string> Names { get; } = new HashSet<string> { "clientid", "topic", "qos", "share", "_match_topic" };

    /// <summary>Whether a client's subscriptions may be in the list.</summary>
    public bool MayHave(string candidate) => clientId is null || clientId == candidate;

    /// <summary>Whether a subscription is to be in the list.</summary>
    public bool Matches(string subscriber, in TopicFilter filter, in SubscriptionOptions options) =>
        MayHave(subscriber)
        && (qos is null || qos == (int)options.Qos)
        && (topic is null || topic == filter.Text || topic == filter.Path)
        && (share is null || share == filter.ShareName)
        && (match is not { } wide || wide.Matches(filter.Path));
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(SubscriptionRow))]
public sealed partial class SubscriptionJson : JsonSerializerContext;
