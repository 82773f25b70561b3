using System.Globalization;
using System.Text.Json;
using Broker.Gateway.Hosting;
using Broker.Gateway.Links;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Interfaces.Topics;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Admin.Resources;

/// <summary>`/mqtt/subscribe` and `/mqtt/unsubscribe`: subscriptions that operators and applications make for clients. No access rule holds for them.</summary>
internal sealed class MqttSubscriptions(ClientDirectory clients, IGrainFactory grains, IOptionsMonitor<MqttOptions> mqtt, TimeProvider time) : IApiResource
{
    public IEnumerable<ApiEndpoint> Endpoints =>
    [
        new("POST", "/mqtt/subscribe", "mqtt_subscribe", "Subscribe a client", call => OneAsync(call, SubscribeAsync)) { IsFrequent = true, Members = ["clientid!", "topic", "topics", "qos"] },
        new("POST", "/mqtt/unsubscribe", "mqtt_unsubscribe", "Unsubscribe a client", call => OneAsync(call, UnsubscribeAsync)) { IsFrequent = true, Members = ["clientid!", "topic", "topics"] },
        new("POST", "/mqtt/subscribe_batch", "mqtt_subscribe_batch", "Subscribe clients", call => BatchAsync(call, SubscribeAsync)) { IsFrequent = true, Members = ["clientid!", "topic", "topics", "qos"], Body = BodyKind.Many },
        new("POST", "/mqtt/unsubscribe_batch", "mqtt_unsubscribe_batch", "Unsubscribe clients", call => BatchAsync(call, UnsubscribeAsync)) { IsFrequent = true, Members = ["clientid!", "topic", "topics"], Body = BodyKind.Many },
    ];

    /// <summary>Who is to be subscribed to what.</summary>
    private sealed record Request(string ClientId, TopicFilter[] Filters, Qos Qos);

    private static async Task<ApiAnswer> OneAsync(ApiCall call, Func<Request, Task> act)
    {
        if (call.Body is not { ValueKind: JsonValueKind.Object } body) throw new ApiException(ResultCode.MissingParameter, "a subscription is an object");
        await act(Read(body));
        return ApiAnswer.Done;
    }

    private static async Task<ApiAnswer> BatchAsync(ApiCall call, Func<Request, Task> act)
    {
        if (call.Body is not { ValueKind: JsonValueKind.Array } batch) throw new ApiException(ResultCode.MissingParameter, "a batch is an array");
        var outcomes = new List<(string? ClientId, string? Topic, ResultCode Code)>();
        foreach (var item in batch.EnumerateArray())
        {
            var (clientId, topic) = (item.Text("clientid"), item.Text("topic") ?? item.Text("topics"));
            try
            {
                await act(Read(item));
                outcomes.Add((clientId, topic, ResultCode.Success));
            }
            catch (ApiException refused)
            {
                outcomes.Add((clientId, topic, refused.Code));
            }
        }

        return ApiAnswer.Data(json =>
        {
            json.WriteStartArray();
            foreach (var (clientId, topic, code) in outcomes)
            {
                json.WriteStartObject();
                json.WriteString("clientid", clientId);
                json.WriteString("topic", topic);
                json.WriteNumber("code", (int)code);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        });
    }

    private async Task SubscribeAsync(Request request)
    {
        var (location, isStored) = await clients.FindAsync(request.ClientId);
        var qos = ((int)request.Qos).ToString(CultureInfo.InvariantCulture);
        foreach (var filter in request.Filters)
        {
            if (location is { } there) Check(await clients.DoAsync(there, ClientCommands.Subscribe, new("topic", filter.Text), new("qos", qos)));
            else if (isStored) Check(await SubscribeAbsentAsync(request, filter));
            else throw NotFound();
        }
    }

    private async Task<ReasonCode> SubscribeAbsentAsync(Request request, TopicFilter filter)
    {
        if (filter.IsExclusive && !mqtt.CurrentValue.ExclusiveSubscription) return ReasonCode.TopicFilterInvalid;
        var results = await GrainCalls.InsistAsync(() => SessionOf(request).Subscribe([new Subscription(filter, new SubscriptionOptions(request.Qos))]), time);
        return results[0].Code;
    }

    private static void Check(ReasonCode code)
    {
        if (code >= ReasonCode.UnspecifiedError) throw new ApiException(ResultCode.Unknown, $"the subscription was refused: {code}");
    }

    private async Task UnsubscribeAsync(Request request)
    {
        var (location, isStored) = await clients.FindAsync(request.ClientId);
        foreach (var filter in request.Filters)
        {
            if (location is { } there) Check(await clients.DoAsync(there, ClientCommands.Unsubscribe, new KeyValuePair<string, string>("topic", filter.Text)));
            else if (isStored) await GrainCalls.InsistAsync(() => SessionOf(request).Unsubscribe([filter]), time);
            else throw NotFound();
        }
    }

    private ISessionGrain SessionOf(Request request) => grains.GetGrain<ISessionGrain>(SessionKey.Of(request.ClientId));

    private static void Check(Broker.Grains.Interfaces.Nodes.NodeResult? result)
    {
        if (result is null) throw new ApiException(ResultCode.NodeFailed, "the node does not answer");
        if (result.Fault is { } fault) throw new ApiException(ResultCode.Unknown, fault);
        if (result.Count == 0) throw NotFound();
    }

    private static ApiException NotFound() => new(ResultCode.NotFound, "channel_not_found");

    /// <exception cref="ApiException">A parameter is missing or not of its type.</exception>
    private static Request Read(JsonElement body)
    {
        if (body.ValueKind != JsonValueKind.Object) throw new ApiException(ResultCode.BadParameter, "a subscription is an object");
        if (!body.TryGetProperty("clientid", out var id) || id.ValueKind != JsonValueKind.String) throw new ApiException(ResultCode.BadParameter, "bad clientid: must be string");
        TopicFilter[] filters = [.. body.Topics().Where(topic => TopicFilter.TryParse(topic, out _)).Select(TopicFilter.Parse)];
        if (filters.Length == 0) throw new ApiException(ResultCode.BadTopic, "bad_topic");
        return new Request(id.GetString()!, filters, body.Qos());
    }
}
