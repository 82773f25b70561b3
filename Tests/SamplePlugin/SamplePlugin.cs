using System.Text;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Plugins;
using Broker.Grains.Interfaces.Topics;
using YamlDotNet.Serialization;

namespace Broker.SamplePlugin;

/// <summary>A plugin that shows every hook: it decides by simple names, and publishes nothing, but writes what it is told into a file.</summary>
/// <remarks>Settings: `Journal`, the file; `Greeting`, a user property of CONNACK, in YAML.</remarks>
public sealed class SamplePlugin : IPlugin
{
    private readonly Lock gate = new();
    private string journal = "";

    public ValueTask StartAsync(PluginContext context, CancellationToken cancellation)
    {
        journal = context.Settings["Journal"] ?? throw new InvalidOperationException("Plugins:Settings:SamplePlugin:Journal names no file");
        var greeting = new DeserializerBuilder().Build().Deserialize<Dictionary<string, string>>(context.Settings["Greeting"] ?? "hello: world");
        AddDecisions(context.Hooks, greeting);
        AddNotes(context.Hooks);
        return default;
    }

    public ValueTask StopAsync() => Note("stopped");

    private static void AddDecisions(IHooks hooks, Dictionary<string, string> greeting)
    {
        hooks.ClientConnect.Add((client, asked) => new(client.UserName == "brief" ? HookAnswer<ConnectProperties>.ContinueWith(asked with { SessionExpiryInterval = 1 }) : default));
        hooks.ClientConnack.Add((context, properties) => HookAnswer<ConnackProperties>.ContinueWith(
            properties with { UserProperties = [.. properties.UserProperties, .. greeting.Select(one => new UserProperty(one.Key, one.Value))] }));
        hooks.ClientAuthenticate.Add(async (request, _) =>
        {
            await Task.Yield();
            return request.Client.UserName switch
            {
                "root" when request.Password is { } password && password.Span.SequenceEqual("secret"u8) => HookAnswer<AuthenticateAnswer?>.StopWith(new AuthenticateAnswer(true, IsSuperuser: true)),
                "root" => HookAnswer<AuthenticateAnswer?>.StopWith(new AuthenticateAnswer(false, Code: ReasonCode.BadUserNameOrPassword, Reason: "wrong secret")),
                "broken" => throw new InvalidOperationException("the sample breaks"),
                _ => default,
            };
        });
        hooks.ClientCheckAcl.Add((request, _) => new(request.Topic.StartsWith("forbidden/", StringComparison.Ordinal) ? HookAnswer<bool?>.StopWith(false) : default));
        hooks.ClientSubscribe.Add((_, requested) => new(HookAnswer<IReadOnlyList<RequestedFilter>>.ContinueWith([.. requested.Select(one =>
            one.Filter == "full" ? one with { Refusal = ReasonCode.QuotaExceeded } : one with { Filter = one.Filter.Replace("old/", "new/", StringComparison.Ordinal) })])));
        hooks.ClientUnsubscribe.Add((_, filters) => new(HookAnswer<IReadOnlyList<string>>.ContinueWith([.. filters.Select(one => one.Replace("old/", "new/", StringComparison.Ordinal))])));
        hooks.MessagePublish.Add((_, message) => new(message!.Topic.Text switch
        {
            "swallow" => HookAnswer<ApplicationMessage?>.StopWith(null),
            "old/topic" => HookAnswer<ApplicationMessage?>.ContinueWith(message.With(TopicName.Parse("new/topic"))),
            "raise" => HookAnswer<ApplicationMessage?>.ContinueWith(message.With(qos: Qos.ExactlyOnce)),
            "lower" => HookAnswer<ApplicationMessage?>.ContinueWith(message.With(qos: Qos.AtMostOnce)),
            _ => default,
        }));
        hooks.MessagePublish.Add(async (_, message) =>
        {
            if (message!.Topic.Text != "slow") return default;
            await Task.Yield();
            return HookAnswer<ApplicationMessage?>.ContinueWith(message.With(payload: Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(message.Payload) + ", seen")));
        }, priority: -1);
        hooks.MessageDelivered.Add((client, message) => message.Topic.Text == "personal"
            ? HookAnswer<ApplicationMessage>.ContinueWith(message.With(payload: Encoding.UTF8.GetBytes($"{client.ClientId}: {Encoding.UTF8.GetString(message.Payload)}"))) : default);
    }

    private void AddNotes(IHooks hooks)
    {
        hooks.ClientConnected.Add(client => Note($"client.connected {client.ClientId}"));
        hooks.ClientDisconnected.Add(gone => Note($"client.disconnected {gone.Client.ClientId} {gone.Reason}"));
        hooks.SessionCreated.Add(session => Note($"session.created {session.ClientId}"));
        hooks.SessionResumed.Add(session => Note($"session.resumed {session.ClientId}"));
        hooks.SessionDiscarded.Add(session => Note($"session.discarded {session.ClientId}"));
        hooks.SessionTakenOver.Add(session => Note($"session.takeovered {session.ClientId}"));
        hooks.SessionTerminated.Add(session => Note($"session.terminated {session.ClientId}"));
        hooks.SessionSubscribed.Add(one => Note($"session.subscribed {one.Client.ClientId} {one.Filter} {(int)one.Options.Qos} {one.IsNew}"));
        hooks.SessionUnsubscribed.Add(one => Note($"session.unsubscribed {one.Client.ClientId} {one.Filter}"));
        hooks.MessageAcked.Add(one => Note($"message.acked {one.Client.ClientId} {one.Message.Topic} {Encoding.UTF8.GetString(one.Message.Payload)}"));
        hooks.MessageDropped.Add(one => Note($"message.dropped {one.Message.Topic} {one.Reason}"));
        hooks.DeliveryDropped.Add(one => Note($"delivery.dropped {one.ClientId} {one.Message.Topic} {one.Reason}"));
    }

    private ValueTask Note(string line)
    {
        lock (gate) File.AppendAllText(journal, line + "\n");
        return default;
    }
}
