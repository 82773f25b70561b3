using System.Text.Json.Serialization;
using Broker.Grains.Interfaces.Nodes;
using Broker.Grains.Storage;

namespace Broker.Grains.Delayed;

/// <summary>A waiting message as EMQ X's HTTP API shows it.</summary>
internal sealed record DelayedRow
{
    [JsonPropertyName("msgid")]
    public required string Id { get; init; }

    public required string Node { get; init; }

    public required string Topic { get; init; }

    public required int Qos { get; init; }

    public required bool Retain { get; init; }

    public required string PublishAt { get; init; }

    /// <summary>How long it waits in all, in seconds.</summary>
    public required long DelayedInterval { get; init; }

    /// <summary>How much of that is left, in seconds.</summary>
    public required long DelayedRemaining { get; init; }

    public required string ExpectedAt { get; init; }

    [JsonPropertyName("from_clientid")]
    public required string ClientId { get; init; }

    [JsonPropertyName("from_username")]
    public required string? UserName { get; init; }

    public required long PayloadBytes { get; init; }

    public static DelayedRow Of(string node, DelayedHead head, DateTimeOffset now, TimeZoneInfo zone) => new()
    {
        Id = head.Key.ToString(),
        Node = node,
        Topic = head.Topic,
        Qos = (int)head.Qos,
        Retain = head.Retain,
        PublishAt = LocalTime.Format(DateTimeOffset.FromUnixTimeMilliseconds(head.ReceivedAt), zone),
        DelayedInterval = (head.Key.DueAt - head.ReceivedAt + 999) / 1000,
        DelayedRemaining = Math.Max(0, (head.Key.DueAt - now.ToUnixTimeMilliseconds() + 999) / 1000),
        ExpectedAt = LocalTime.Format(DateTimeOffset.FromUnixTimeMilliseconds(head.Key.DueAt), zone),
        ClientId = head.Publisher,
        UserName = head.UserName,
        PayloadBytes = head.PayloadBytes,
    };
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(DelayedRow))]
internal sealed partial class DelayedJson : JsonSerializerContext;
