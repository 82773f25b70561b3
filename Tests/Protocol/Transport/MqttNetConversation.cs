using System.Buffers;
using System.Collections.Concurrent;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Broker.Tests.Protocol.Harness;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using Xunit;

namespace Broker.Tests.Protocol.Transport;

/// <summary>What a client of MQTTnet and its <see cref="Counterpart"/> say to each other.</summary>
internal sealed class MqttNetConversation(Uri url, int level, string root, string authority)
{
    private readonly ConcurrentQueue<MqttApplicationMessage> seen = new();

    public async Task RunAsync()
    {
        using var client = new MqttClientFactory().CreateMqttClient();
        client.ApplicationMessageReceivedAsync += received =>
        {
            seen.Enqueue(received.ApplicationMessage);
            return Task.CompletedTask;
        };
        await client.ConnectAsync(Options("talks").Build());
        await client.SubscribeAsync(root + "/down/#", MqttQualityOfServiceLevel.ExactlyOnce);
        await WaitAsync(1);
        Assert.True(seen.TryDequeue(out var kept));
        AssertMessage(kept, "kept", 1, 100, 1, retained: true, from: "counterpart");

        await Task.WhenAll(Enumerable.Range(0, Counterpart.Count).SelectMany(n => Enumerable.Range(0, 3).Select(qos => client.PublishAsync(Message($"{qos}", n, n * 37, qos).Build()))));
        await client.PublishAsync(Message("large", 2, Counterpart.Large, 1).Build());
        var own = Message("kept", 3, 100, 2).WithRetainFlag();
        if (level == 5) own = own.WithUserProperty("from", "client"u8.ToArray()).WithContentType("bytes");
        await client.PublishAsync(own.Build());
        await WaitAsync(3 * Counterpart.Count + 2);
        for (var qos = 0; qos <= 2; qos++)
        {
            var back = Of($"{qos}");
            Assert.Equal(Counterpart.Count, back.Length);
            for (var n = 0; n < Counterpart.Count; n++) AssertMessage(back[n], $"{qos}", n, n * 37, qos);
        }

        AssertMessage(Assert.Single(Of("large")), "large", 2, Counterpart.Large, 1);
        AssertMessage(Assert.Single(Of("kept")), "kept", 3, 100, 2, from: "client");

        using (var dies = new MqttClientFactory().CreateMqttClient())
        {
            await dies.ConnectAsync(Options("dies").WithWillTopic(root + "/up/will").WithWillPayload(Counterpart.Content(4, 50))
                .WithWillQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce).Build());
        } // disposed without DISCONNECT

        await WaitAsync(3 * Counterpart.Count + 3);
        AssertMessage(Assert.Single(Of("will")), "will", 4, 50, 1);
        await client.DisconnectAsync();
    }

    private MqttApplicationMessage[] Of(string topic) => [.. seen.Where(message => message.Topic == $"{root}/down/{topic}")];

    private Task WaitAsync(int count) => Wait.UntilAsync(() => seen.Count >= count, () => $"{count} messages, only {seen.Count}");

    private MqttApplicationMessageBuilder Message(string topic, int number, int length, int qos) =>
        new MqttApplicationMessageBuilder().WithTopic($"{root}/up/{topic}").WithPayload(Counterpart.Content(number, length)).WithQualityOfServiceLevel((MqttQualityOfServiceLevel)qos);

    private void AssertMessage(MqttApplicationMessage message, string topic, int number, int length, int qos, bool retained = false, string? from = null)
    {
        Assert.Equal(($"{root}/down/{topic}", qos, retained, length), (message.Topic, (int)message.QualityOfServiceLevel, message.Retain, (int)message.Payload.Length));
        Assert.True(message.Payload.ToArray().AsSpan().SequenceEqual(Counterpart.Content(number, length)), $"{topic}: another content than that of {number}");
        if (from is not null && level == 5) Assert.Equal(from, Assert.Single(message.UserProperties, one => one.Name == "from").ReadValueAsString());
    }

    private MqttClientOptionsBuilder Options(string name)
    {
        var options = new MqttClientOptionsBuilder().WithClientId($"{root}-{name}").WithProtocolVersion(level == 5 ? MqttProtocolVersion.V500 : MqttProtocolVersion.V311);
        options = url.Scheme is "ws" or "wss" ? options.WithWebSocketServer(server => server.WithUri(url.ToString())) : options.WithTcpServer(url.Host, url.Port);
        return url.Scheme is "mqtts" or "wss" ? options.WithTlsOptions(tls => tls.UseTls().WithTargetHost(url.Host).WithCertificateValidationHandler(Trusts)) : options;
    }

    private bool Trusts(MqttClientCertificateValidationEventArgs shown)
    {
        using var root = X509CertificateLoader.LoadCertificateFromFile(authority);
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(root);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        using var certificate = new X509Certificate2(shown.Certificate);
        return !shown.SslPolicyErrors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch) && chain.Build(certificate);
    }
}
