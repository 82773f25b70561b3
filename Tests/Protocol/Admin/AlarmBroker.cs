using Broker.Gateway.Alarms;
using Broker.Tests.Protocol.Harness;
using Microsoft.Extensions.DependencyInjection;

namespace Broker.Tests.Protocol.Admin;

/// <summary>A broker that looks at itself ten times a second, on a machine that does as the test says, and reaches none of those it asks.</summary>
public sealed class AlarmBroker : BrokerHost
{
    private readonly SetVitals vitals;

    public AlarmBroker()
        : this(new SetVitals())
    {
    }

    private AlarmBroker(SetVitals vitals)
        : base(
            new Dictionary<string, string?>
            {
                ["Alarms:CheckInterval"] = "00:00:00.1", ["Alarms:CpuCheckInterval"] = "00:00:00.1", ["Alarms:MemoryCheckInterval"] = "00:00:00.1", ["Alarms:ProcessCheckInterval"] = "00:00:00.1",
                ["Alarms:Congestion"] = "true", ["Alarms:CongestionSustain"] = "00:00:00.2", ["Alarms:HistorySize"] = "50", ["Gateway:MaxConnections"] = "20", ["Mqtt:HighWatermark"] = "65536",
                ["Gateway:Address"] = "*", ["ExHook:Servers:far:Url"] = "http://127.0.0.1:1", ["ExHook:RequestFailedAction"] = "ignore", ["Storage:MaxPages"] = "400",
            },
            services => services.AddSingleton<IVitals>(vitals)) => this.vitals = vitals;

    internal SetVitals Vitals => vitals;

    /// <summary>Readings as a test sets them.</summary>
    internal sealed class SetVitals : IVitals
    {
        public double Cpu { get; set; }

        public double SystemMemory { get; set; }

        public double ProcessMemory { get; set; }

        public double Threads { get; set; }

        public double ReadCpu() => Cpu;

        public double ReadSystemMemory() => SystemMemory;

        public double ReadProcessMemory() => ProcessMemory;

        public double ReadThreads() => Threads;
    }
}
