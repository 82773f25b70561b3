using Broker.Gateway.Mqtt;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Plugins;

namespace Broker.Gateway.Security;

/// <summary>What one connected client may do, with what was answered for it lately.</summary>
/// <remarks>On the connection's event loop only.</remarks>
internal sealed class ClientAccess(Authorization authorization, ClientInfo client, TimeProvider time)
{
    private AccessCache? cache;
    private ClientContext? context;
    private bool hasAsked;

    /// <summary>How often this client's answers were forgotten.</summary>
    private int forgotten;

    public ClientInfo Client { get; } = client;

    /// <summary>The client as hooks see it.</summary>
    public ClientContext Context => context ??= Client.ToContext();

    private bool IsUnrestricted => Client.IsSuperuser || !authorization.IsNeeded;

    /// <summary>Changes whenever what was answered before does not hold any more. Both counts only rise.</summary>
    private int Epoch => authorization.Epoch + forgotten;

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Whether it is known without asking that the client may publish to a topic. The way of every PUBLISH.</summary>
    /// <param name="stamp">Now, as <see cref="TimeProvider.GetTimestamp"/> has it.</param>
    public bool KnowsPublish(PublisherTopic topic, long stamp) => IsUnrestricted || (cache is not null && topic.MayBePublished(Epoch, stamp));

    /// <summary>Whether the client may publish to a topic; the topic remembers it.</summary>
    public async ValueTask<bool> MayPublishAsync(PublisherTopic topic)
    {
        var epoch = Epoch;
        var answer = await AskAsync(TopicAccess.Publish, topic.AsWritten);
        if (answer.IsAllowed && cache is not null && answer.UntilMs > 0) topic.AllowPublish(epoch, time.GetTimestamp() + ((answer.UntilMs - NowMs) * (time.TimestampFrequency / 1000)));
        return answer.IsAllowed;
    }

    /// <summary>Whether the client may use a topic or filter, as it writes it and without its share prefix.</summary>
    public async ValueTask<bool> MayAsync(TopicAccess access, string topic) => (await AskAsync(access, topic)).IsAllowed;

    /// <summary>What was answered and still holds.</summary>
    public (TopicAccess Access, string Topic, bool IsAllowed, long AskedMs)[] Remembered() => cache is null ? [] : [.. cache.List(NowMs, Epoch)];

    /// <summary>Forgets what was answered.</summary>
    public void Forget()
    {
        forgotten++;
        cache?.Clear();
    }

    private async ValueTask<AccessAnswer> AskAsync(TopicAccess access, string topic)
    {
        if (IsUnrestricted) return new AccessAnswer(IsAllowed: true, UntilMs: 0);
        var epoch = Epoch;
        if (!hasAsked) (cache, hasAsked) = (authorization.MakeCache(), true);
        if (cache is not null && cache.TryFind(access, topic, NowMs, epoch, out var known))
        {
            BrokerCounters.Add(Metric.ClientAclCacheHit);
            if (!known.IsAllowed) authorization.NoteAgain(Client, access, topic);
            return known;
        }

        var answer = await authorization.AuthorizeAsync(Client, access, topic, time.GetUtcNow());
        if (answer.UntilMs > 0) cache?.Add(access, topic, answer, epoch, NowMs);
        return answer;
    }
}
