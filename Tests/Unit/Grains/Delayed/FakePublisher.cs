using Broker.Grains.Delayed;
using Broker.Grains.Interfaces.Messages;

namespace Broker.Tests.Unit.Grains.Delayed;

/// <summary>Takes what is due, unless it was told otherwise.</summary>
internal sealed class FakePublisher : IDelayedPublisher
{
    private readonly Lock gate = new();
    private readonly List<ApplicationMessage> published = [];
    private readonly List<ApplicationMessage[]> calls = [];
    private int failures;
    private (string Text, int Times) refused;

    /// <summary>What was taken.</summary>
    public List<ApplicationMessage> Published
    {
        get
        {
            lock (gate) return [.. published];
        }
    }

    public List<ApplicationMessage[]> Calls
    {
        get
        {
            lock (gate) return [.. calls];
        }
    }

    public IEnumerable<string> Texts => Published.Select(TestMessage.Text);

    /// <summary>So many calls fail.</summary>
    public void Fail(int times) => failures = times;

    /// <summary>A message is refused so many times.</summary>
    public void Refuse(string text, int times) => refused = (text, times);

    public Task<ReasonCode[]> PublishAsync(ApplicationMessage[] messages)
    {
        lock (gate)
        {
            calls.Add(messages);
            if (failures-- > 0) throw new TimeoutException("not now");
            return Task.FromResult(Array.ConvertAll(messages, message =>
            {
                if (TestMessage.Text(message) == refused.Text && refused.Times-- > 0) return ReasonCode.QuotaExceeded;
                published.Add(message);
                return ReasonCode.Success;
            }));
        }
    }
}
