using System.Net;
using System.Text;
using Broker.Gateway.Transport.Proxy;
using Broker.Tests.Protocol.Transport;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Transport.Proxy;

public class ProxyHeaderTests
{
    private static readonly IPEndPoint V4 = new(IPAddress.Parse("192.0.2.1"), 40_000);
    private static readonly IPEndPoint V6 = new(IPAddress.Parse("2001:db8::1"), 40_000);

    public static TheoryData<byte[], string?, string?> Headers => new()
    {
        { Encoding.ASCII.GetBytes("PROXY TCP4 192.0.2.1 10.0.0.1 40000 1883\r\n"), V4.ToString(), null },
        { Encoding.ASCII.GetBytes("PROXY TCP6 2001:db8::1 ::1 40000 1883\r\n"), V6.ToString(), null },
        { Encoding.ASCII.GetBytes("PROXY UNKNOWN ffff::1 ::2 1 2\r\n"), null, null },
        { ProxyBytes.V2(V4), V4.ToString(), null },
        { ProxyBytes.V2(V6, "device"), V6.ToString(), "device" },
        { [.. "\r\n\r\n\0\r\nQUIT\n"u8, 0x20, 0, 0, 0], null, null },
    };

    [Theory]
    [MemberData(nameof(Headers))]
    public void SourceIsRead_WhenHeaderIsWhole(byte[] bytes, string? source, string? commonName)
    {
        Assert.Equal(ReadOutcome.Complete, ProxyHeader.TryRead([.. bytes, 0x10, 0x0C], out var header, out var consumed));
        Assert.Equal((bytes.Length, source, commonName), (consumed, header!.Source?.ToString(), header.CommonName));
    }

    [Theory]
    [MemberData(nameof(Headers))]
    public void MoreIsNeeded_WhenHeaderIsCutAtAnyByte(byte[] bytes, string? source, string? commonName)
    {
        _ = (source, commonName);
        for (var cut = 0; cut < bytes.Length; cut++) Assert.Equal(ReadOutcome.Incomplete, ProxyHeader.TryRead(bytes.AsSpan(0, cut), out _, out _));
    }

    [Theory]
    [InlineData("HELLO")]
    [InlineData("PROXY TCP4 192.0.2.1 10.0.0.1 40000\r\n")]
    [InlineData("PROXY TCP4 192.0.2 10.0.0.1 40000 1883\r\n")]
    [InlineData("PROXY TCP4 ::1 10.0.0.1 40000 1883\r\n")]
    [InlineData("PROXY TCP4 192.0.2.1 10.0.0.1 70000 1883\r\n")]
    [InlineData("PROXY UDP4 192.0.2.1 10.0.0.1 40000 1883\r\n")]
    public void IsInvalid_WhenTextIsNoHeader(string text) => Assert.Equal(ReadOutcome.Invalid, ProxyHeader.TryRead(Encoding.ASCII.GetBytes(text), out _, out _));

    [Fact]
    public void IsInvalid_WhenLineDoesNotEnd() =>
        Assert.Equal(ReadOutcome.Invalid, ProxyHeader.TryRead(Encoding.ASCII.GetBytes("PROXY TCP4 " + new string('1', 200)), out _, out _));

    [Fact]
    public void NeverThrows_WhenBytesAreRandom()
    {
        var random = new Random(7);
        var whole = ProxyBytes.V2(V4, "device");
        for (var i = 0; i < 100_000; i++)
        {
            byte[] bytes = [.. whole];
            for (var n = random.Next(1, 6); n > 0; n--) bytes[random.Next(12, bytes.Length)] = (byte)random.Next(256);
            ProxyHeader.TryRead(bytes, out _, out _);
            random.NextBytes(bytes);
            ProxyHeader.TryRead(bytes, out _, out _);
        }
    }
}
