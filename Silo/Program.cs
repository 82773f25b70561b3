using Broker.Silo;

// Grains and nothing that listens for clients.
return await BrokerProgram.RunAsync(args, compose: _ => { }, describe: _ => "Silo without listeners");
