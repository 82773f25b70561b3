using System.Text;
using System.Text.Json;
using Broker.Gateway.Links;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Topics;

namespace Broker.Gateway.Admin.Resources;

/// <summary>`/mqtt/publish`: messages that operators and applications publish. No access rule holds for them.</summary>
internal sealed class Messages(MessageRouter router, GatewayLoops loops) : IApiResource
{
    private static readonly string[] Members = ["topic", "topics", "payload", "encoding", "qos", "retain", "clientid", "return"];
    private int nextLoop;

    public IEnumerable<ApiEndpoint> Endpoints =>
    [
        new("POST", "/mqtt/publish", "mqtt_publish", "Publish a message", PublishAsync) { IsFrequent = true, Members = Members },
        new("POST", "/mqtt/publish_batch", "mqtt_publish_batch", "Publish messages", PublishBatchAsync) { IsFrequent = true, Members = Members, Body = BodyKind.Many },
    ];

    private async Task<ApiAnswer> PublishAsync(ApiCall call)
    {
        if (call.Body is not { ValueKind: JsonValueKind.Object } body) throw new ApiException(ResultCode.MissingParameter, "a message is an object");
        var messages = Read(body);
        foreach (var message in messages) await PublishAsync(message);
        if (!body.TryGetProperty("return", out _)) return ApiAnswer.Done;
        var ids = messages.Select(_ => Guid.NewGuid().ToString("N").ToUpperInvariant()).ToArray();
        return ApiAnswer.Data(json =>
        {
            json.WriteStartObject();
            if (body.TryGetProperty("topics", out var _) && !body.TryGetProperty("topic", out _))
            {
                json.WriteStartArray("msgids");
                foreach (var id in ids) json.WriteStringValue(id);
                json.WriteEndArray();
            }
            else
            {
                json.WriteString("msgid", ids[0]);
            }

            json.WriteEndObject();
        });
    }

    private async Task<ApiAnswer> PublishBatchAsync(ApiCall call)
    {
        if (call.Body is not { ValueKind: JsonValueKind.Array } batch) throw new ApiException(ResultCode.MissingParameter, "a batch is an array");
        var outcomes = new List<(string Topic, ResultCode Code)>();
        foreach (var item in batch.EnumerateArray())
        {
            var named = item.Text("topic") ?? item.Text("topics") ?? "";
            try
            {
                foreach (var message in Read(item)) await PublishAsync(message);
                outcomes.Add((named, ResultCode.Success));
            }
            catch (ApiException refused)
            {
                outcomes.Add((named, refused.Code));
            }
        }

        return ApiAnswer.Data(json =>
        {
            json.WriteStartArray();
            foreach (var (topic, code) in outcomes)
            {
                json.WriteStartObject();
                json.WriteString("topic", topic);
                json.WriteNumber("code", (int)code);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        });
    }

    /// <summary>Returns when everybody has the message who must: it is as safe as an acknowledged one.</summary>
    private async Task PublishAsync(ApplicationMessage message)
    {
        var loop = loops.All[(int)((uint)Interlocked.Increment(ref nextLoop) % (uint)loops.All.Count)];
        BrokerCounters.Add(Metric.MessagesQos0Received + (int)message.Qos);
        if (!loop.Hooks.MessagePublish.IsEmpty)
        {
            if (await loop.Hooks.PublishingAsync(null, message) is not { } changed) return;
            message = changed;
        }

        var receipt = new TaskReceipt();
        loop.Run(() =>
        {
            router.Publish(loop, message, router.RouteOf(message.Topic), receipt);
            receipt.Answer(ReasonCode.Success); // all who must answer are known
        });
        var code = await receipt.Completion;
        if (code == ReasonCode.TopicNameInvalid) throw new ApiException(ResultCode.BadTopic, "bad_topic");
        if (code >= ReasonCode.UnspecifiedError) throw new ApiException(ResultCode.Unknown, $"the message could not be stored: {code}");
    }

    /// <exception cref="ApiException">No topic is one to publish to, or a parameter is not of its type.</exception>
    private static ApplicationMessage[] Read(JsonElement body)
    {
        if (body.ValueKind != JsonValueKind.Object) throw new ApiException(ResultCode.BadParameter, "a message is an object");
        if (body.TryGetProperty("clientid", out var id) && id.ValueKind is not (JsonValueKind.String or JsonValueKind.Null)) throw new ApiException(ResultCode.BadParameter, "bad clientid: must be string");
        TopicName[] names = [.. body.Topics().Select(topic => TopicName.TryParse(Encoding.UTF8.GetBytes(topic), out var name) ? name : null).OfType<TopicName>()];
        if (names.Length == 0) throw new ApiException(ResultCode.BadTopic, "bad_topic");
        var qos = body.Qos();
        var payload = PayloadOf(body);
        var retain = body.Text("retain") is "true" or "1";
        return [.. names.Select(name => new ApplicationMessage { Topic = name, Payload = payload, Qos = qos, Retain = retain, PublisherId = body.Text("clientid") ?? "" })];
    }

    private static byte[] PayloadOf(JsonElement body)
    {
        var payload = body.Text("payload") ?? "";
        switch (body.Text("encoding") ?? "plain")
        {
            case "plain": return Encoding.UTF8.GetBytes(payload);
            case "base64":
                try
                {
                    return Convert.FromBase64String(payload);
                }
                catch (FormatException)
                {
                    throw new ApiException(ResultCode.BadParameter, "payload is not base64");
                }

            default: throw new ApiException(ResultCode.BadParameter, "encoding must be plain or base64");
        }
    }
}
