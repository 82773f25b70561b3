using System.Text;
using Broker.Gateway.Transport.Proxy;
using Broker.Gateway.Transport.WebSocket;
using Broker.Tests.Protocol.Transport;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Transport.WebSocket;

public class UpgradeRequestTests
{
    private static readonly byte[] Whole = WebSocketPeer.Request("Sec-WebSocket-Protocol: a\r\nsec-websocket-protocol:mqtt\r\n", "/mqtt?x=1");

    [Fact]
    public void PartsAreRead_WhenRequestIsWhole()
    {
        Assert.Equal(ReadOutcome.Complete, UpgradeRequest.TryRead([.. Whole, 1, 2], out var request, out var consumed));
        Assert.Equal((Whole.Length, "GET", "/mqtt"), (consumed, request!.Method, request.Path));
        Assert.Equal(["a", "mqtt"], request.List("Sec-WebSocket-Protocol"));
        Assert.Equal("13", request.Header("sec-websocket-version"));
    }

    [Fact]
    public void MoreIsNeeded_WhenRequestIsCutAtAnyByte()
    {
        for (var cut = 0; cut < Whole.Length; cut++) Assert.Equal(ReadOutcome.Incomplete, UpgradeRequest.TryRead(Whole.AsSpan(0, cut), out _, out _));
    }

    [Theory]
    [InlineData("\u0010\u000c")]
    [InlineData("GET /mqtt HTTP/1.0\r\n\r\n")]
    [InlineData("GET /mqtt\r\n\r\n")]
    [InlineData("GET /mqtt HTTP/1.1\r\nno header\r\n\r\n")]
    [InlineData("GET /mqtt HTTP/1.1\r\nname : value\r\n\r\n")]
    public void IsInvalid_WhenItIsNoRequest(string text) => Assert.Equal(ReadOutcome.Invalid, UpgradeRequest.TryRead(Encoding.Latin1.GetBytes(text), out _, out _));

    [Fact]
    public void IsInvalid_WhenItIsTooLong() =>
        Assert.Equal(ReadOutcome.Invalid, UpgradeRequest.TryRead(Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nx: " + new string('y', UpgradeRequest.MaxBytes)), out _, out _));

    [Fact]
    public void NeverThrows_WhenBytesAreRandom()
    {
        var random = new Random(3);
        for (var i = 0; i < 20_000; i++)
        {
            byte[] bytes = [.. Whole];
            for (var n = random.Next(1, 8); n > 0; n--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            if (UpgradeRequest.TryRead(bytes, out var request, out _) == ReadOutcome.Complete) UpgradeAnswer.To(request!, new());
        }
    }
}
