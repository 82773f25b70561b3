using System.Net;
using System.Text;
using Broker.Gateway.Mqtt.Packets;
using Broker.Gateway.Tracing;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Tracing;

/// <summary>What stands in traces, and what a client cannot make stand there.</summary>
public class TraceTextTests
{
    [Theory]
    [InlineData("plain/topic", "\"plain/topic\"")]
    [InlineData("größer/日本", "\"größer/日本\"")]
    [InlineData("a\nb\rc\td", "\"a\\u000Ab\\u000Dc\\u0009d\"")]
    [InlineData("a\u0085b\u2028c\u2029d\u202Ee", "\"a\\u0085b\\u2028c\\u2029d\\u202Ee\"")]
    [InlineData("a\", qos: 2, b: \"", "\"a\\u0022, qos: 2, b: \\u0022\"")]
    [InlineData("a\\u000A", "\"a\\u005Cu000A\"")]
    [InlineData("\u001B[31m\u007F", "\"\\u001B[31m\\u007F\"")]
    public void QuotedTextStaysInItsPlace_WhateverItHolds(string text, string quoted) => Assert.Equal(quoted, TraceText.Quote(text));

    [Fact]
    public void ClientIsOneWord_WhateverItsIdentifierHolds()
    {
        var peer = new IPEndPoint(IPAddress.Parse("::ffff:10.0.0.1"), 4711);
        Assert.Equal("c\\u0020x\\u000A2026@10.0.0.1:4711", TraceText.Who("c x\n2026", peer));
        Assert.Equal("c@[fe80::1]:1", TraceText.Who("c", new IPEndPoint(IPAddress.Parse("fe80::1"), 1)));
    }

    [Fact]
    public void LongPayloadIsCut_AndOddBytesAreReplaced()
    {
        var text = TraceText.Quote([.. Enumerable.Repeat((byte)'x', TraceText.MaxPayloadBytes + 1)]);
        Assert.Equal($"\"{new string('x', TraceText.MaxPayloadBytes)}\"...", text);
        Assert.Equal("\"\uFFFD\"", TraceText.Quote([0xFF]));
    }

    [Fact]
    public void PasswordIsNotTraced_WhenAClientConnects()
    {
        var connect = new ConnectPacket { Version = ProtocolVersion.V5, CleanStart = true, KeepAlive = 60, ClientId = "c", UserName = "me", Password = Encoding.UTF8.GetBytes("secret"), AuthenticationData = Encoding.UTF8.GetBytes("secret") };
        Assert.Equal("version: 5, clean_start: 1, keepalive: 60, username: \"me\", session_expiry_interval: undefined", TraceText.Describe(connect));
    }

    [Fact]
    public void LineHasTimeLevelAndClient() => Assert.Equal(
        "2026-11-30T18:33:01.123456+00:00 [debug] c@10.0.0.1:1 [MQTT] PINGREQ received",
        TraceText.Line(new DateTimeOffset(2026, 11, 30, 20, 33, 1, TimeSpan.FromHours(2)).AddTicks(1_234_560), "debug", "c@10.0.0.1:1", "PINGREQ received"));
}
