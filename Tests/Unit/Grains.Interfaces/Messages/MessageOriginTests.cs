using Broker.Grains.Interfaces.Messages;
using Xunit;

namespace Broker.Tests.Unit.Grains.Interfaces.Messages;

public class MessageOriginTests
{
    [Fact]
    public void SourceIsItsOwn_OfEachSimilarClientAndEpoch()
    {
        var clients = Enumerable.Range('a', 26).SelectMany(last => new[] { $"{(char)last}", $"p2{(char)last}", $"client/{(char)last}", $"a client with a long name {(char)last}" }).ToArray();

        var sources = clients.SelectMany(client => Enumerable.Range(1, 200).Select(epoch => MessageOrigin.OfSession(client, (long)epoch << MessageOrigin.CounterBits).Source));

        Assert.Equal(clients.Length * 200, sources.Distinct().Count());
    }

    [Fact]
    public void NumberIsWithoutTheEpoch_OfASession() => Assert.Equal(7, MessageOrigin.OfSession("c", (3L << MessageOrigin.CounterBits) + 7).Number);
}
